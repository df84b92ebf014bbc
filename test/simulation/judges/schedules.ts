import type { Rows } from "../../checker/evidence.ts";
import type { Fact, History } from "../../checker/history.ts";
import type { Timetable } from "../timetable.ts";
import { ScheduleCourse, type ScheduleRow } from "./schedule-course.ts";

/** Each due time of a schedule came once, and to what its policies say; and so did what was started by hand. */
export function* schedulesOf(db: Rows, history: History, timetable: Timetable): Iterable<string> {
  const ends = endsOf(history);
  for (const row of db.all<ScheduleRow>("select * from schedules")) {
    const course = new ScheduleCourse(row, ends);
    const facts = history.streams.get(row.id) ?? [];
    const findings = [...facts.flatMap((fact) => [...course.take(fact)]), ...course.end()];
    for (const finding of findings) yield `schedule ${row.id} (${row.name}): ${finding}`;
    yield* backfills(row, course, timetable);
  }
  yield* sessions(db, history);
  yield* triggers(history, timetable);
}

/** Where in the log sessions ended. */
function endsOf({ streams }: History): ReadonlyMap<string, number> {
  const ends = ["session.completed", "session.failed", "session.cancelled"];
  const found = [...streams].map(([id, facts]): [string, number] => {
    return [id, facts.find(({ type }) => ends.includes(type))?.position ?? Number.POSITIVE_INFINITY];
  });
  return new Map(found);
}

/** Of a range that was fired anew nothing is left that nobody has decided about. */
function* backfills({ id, name }: ScheduleRow, course: ScheduleCourse, { backfilled }: Timetable): Iterable<string> {
  for (const { from, to } of backfilled.filter(({ schedule }) => schedule === id)) {
    const left = course.undecided(from, to);
    if (left.length > 0)
      yield `schedule ${id} (${name}): of what was fired anew ${left.length} due times were left out`;
  }
}

interface StartedSession {
  readonly id: string;
  readonly name: string;
  readonly due: string | null;
  readonly workflow_id: string;
}

const LABELLED = `select s.id, s.workflow_id, l.value as name, d.value as due from sessions s
  join session_labels l on l.session_id = s.id and l.key = 'schedule'
  left join session_labels d on d.session_id = s.id and d.key = 'dueAt'`;

/** A session that a schedule started says so, and belongs to one fire. */
function* sessions(db: Rows, { streams }: History): Iterable<string> {
  const fires = new Map<string, Fact>();
  for (const fact of [...streams.values()].flat()) {
    if (fact.type !== "schedule.fire_started") continue;
    const id = String(fact.data.sessionId);
    if (fires.has(id)) yield `session ${id} was started by two fires`;
    fires.set(id, fact);
  }
  const rows = new Map(db.all<StartedSession>(LABELLED).map((row) => [row.id, row]));
  for (const [id, { data }] of fires) {
    if (rows.get(id)?.due !== data.dueAt) yield `session ${id} of due time ${data.dueAt} says ${rows.get(id)?.due}`;
  }
  for (const id of rows.keys()) if (!fires.has(id)) yield `session ${id} belongs to no fire`;
}

/** What is triggered under a key starts one session. */
function* triggers({ streams }: History, { triggered, removed }: Timetable): Iterable<string> {
  for (const id of new Set(triggered.map(({ schedule }) => schedule))) {
    if (removed.has(id)) continue;
    const own = triggered.filter(({ schedule }) => schedule === id);
    const fires = (streams.get(id) ?? []).filter((fact) => fact.data.kind === "trigger");
    const answered = new Set(own.flatMap(({ sequence }) => sequence ?? []));
    // What was refused for want of its agent may have come once more, when that was back.
    const refused = own.filter(({ sequence }) => sequence === null);
    if (fires.length < answered.size || fires.length > answered.size + refused.length)
      yield `schedule ${id} was triggered ${fires.length} times, for ${own.length} keys`;
  }
}

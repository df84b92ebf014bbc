import { isJsonObject, type JsonObject } from "@opspawn/contract";
import { definedTasks } from "../definitions.ts";
import type { Evidence } from "../evidence.ts";
import type { Fact, History } from "../history.ts";
import { groupBy, type Invariant } from "../invariant.ts";
import { mostAtOnce } from "../spans.ts";

interface ListRow {
  readonly session_id: string;
  readonly step: number;
  readonly status: string;
  readonly total: number;
  readonly next_item: number;
}

/** Items that have come to a task or a session, or failed before they could. */
const RUNS = `select part from tasks where session_id = :session and step = :step and undoes = 0
  union all select parent_part from sessions where parent_id = :session and parent_step = :step`;

const itemsOnce: Invariant = {
  number: "14",
  name: "each item of a list is done once, in its turn, and none is left out",
  needs: [],
  *check({ db }) {
    const defined = definedTasks(db);
    const lists = db.all<ListRow>(
      `select session_id, step, status, total, next_item from session_steps
        where total is not null and source is null`,
    );
    for (const { session_id: session, step, status, total, next_item: next } of lists) {
      const name = `step ${step} of session ${session}`;
      const runs = db.named<{ part: number }>(RUNS, { session, step }).map(({ part }) => part);
      const items = db.all<{ item: number; error: string | null; source: string | null }>(
        "select item, error, source from step_items where session_id = ? and step = ? order by item",
        session,
        step,
      );
      yield* wrongItems(name, { items, runs, total, next });
      const hasStandIn = fallbackOf(defined.get(session)?.[step]) !== undefined;
      if (isCutShort({ status, next, total }) && !hasStandIn)
        yield `${name} is completed with ${next} of ${total} items`;
    }
  },
};

interface ListItems {
  readonly items: readonly { readonly item: number; readonly error: string | null; readonly source: string | null }[];
  readonly runs: readonly number[];
  readonly total: number;
  readonly next: number;
}

function* wrongItems(name: string, { items, runs, total, next }: ListItems): Iterable<string> {
  if (items.length !== total) yield `${name} has ${total} items, and ${items.length} are kept`;
  const settled = items.filter(({ item, error, source }) => error !== null || (source !== null && item < next));
  const begun = new Set([...runs, ...settled.map(({ item }) => item)]);
  for (const { item, source } of items) {
    if (source !== null && runs.includes(item)) yield `${name} did item ${item} again, which ${source} had done`;
  }
  if (new Set(runs).size !== runs.length) yield `${name} did an item more than once: ${runs.join(", ")}`;
  if (begun.size !== next || [...begun].some((part) => part >= next)) {
    yield `${name} has begun ${next} items, and there are ${[...begun].sort((a, b) => a - b).join(", ") || "none"}`;
  }
}

function isCutShort(list: { readonly status: string; readonly next: number; readonly total: number }): boolean {
  return list.status === "completed" && list.next < list.total;
}

function fallbackOf(task: JsonObject | undefined): unknown {
  const { fallback } = task ?? {};
  return typeof fallback === "string" ? fallback : (fallback as JsonObject | undefined)?.taskId;
}

const CONCURRENCY = 10;

const itemsAtOnce: Invariant = {
  number: "19",
  name: "no list has more items under way at once than it allows, and no other step more than one run",
  needs: [],
  *check({ db, history }) {
    const ends = endsOfSessions(history);
    for (const [session, tasks] of definedTasks(db)) {
      const runs = runsOf(history.streams.get(session) ?? [], ends);
      for (const [stepId, own] of groupBy(runs, (run) => run.stepId)) {
        const task = tasks.find(({ taskId }) => taskId === stepId);
        const allowed = task?.forEach === undefined ? 1 : itemsOf(task);
        const most = mostAtOnce(own);
        if (most > allowed) yield `step ${stepId} of session ${session} allows ${allowed} at once, and had ${most}`;
      }
    }
  },
};

/** How many items of a list may be open; limits by key may be said in the same place. */
function itemsOf({ concurrency = null }: JsonObject): number {
  const items = isJsonObject(concurrency) ? concurrency.items : concurrency;
  return Number(items ?? CONCURRENCY);
}

interface StepRun {
  readonly stepId: string;
  readonly from: number;
  readonly to: number;
}

/** The positions at which sessions ended. */
function endsOfSessions({ streams }: History): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const [stream, facts] of streams) {
    const end = facts.find(({ type }) => ["session.completed", "session.failed", "session.cancelled"].includes(type));
    if (end !== undefined) ends.set(stream, end.position);
  }
  return ends;
}

/** Tasks and sessions of steps, from and to which position they were under way. */
function runsOf(facts: readonly Fact[], ends: ReadonlyMap<string, number>): StepRun[] {
  const ended = new Map<string, number>();
  for (const { type, data, position } of facts) {
    if (["task.completed", "task.failed", "task.cancelled"].includes(type)) ended.set(String(data.taskId), position);
  }
  return facts.flatMap(({ type, data, position: from }): StepRun[] => {
    const stepId = String(data.stepId);
    if (type === "session.child_started") {
      return [{ stepId, from, to: ends.get(String(data.sessionId)) ?? Number.POSITIVE_INFINITY }];
    }
    // What settles a doubt belongs to no step.
    if (type !== "task.created" || data.undoes === true || data.settles === true) return [];
    return [{ stepId, from, to: ended.get(String(data.taskId)) ?? Number.POSITIVE_INFINITY }];
  });
}

interface UndoRow {
  readonly session_id: string;
  readonly n: number;
  readonly status: string;
  /** When what is undone had ended. */
  readonly ended: number | null;
  readonly begunAt: number | null;
  readonly undoneAt: number | null;
}

const UNDOING = `select c.session_id, c.n, c.status, u.created_at as begunAt, u.ended_at as undoneAt,
    coalesce((select ended_at from tasks t where t.session_id = c.session_id and t.step = c.step and t.part = c.part and t.undoes = 0),
      (select ended_at from sessions p where p.parent_id = c.session_id and p.parent_step = c.step and p.parent_part = c.part)) as ended
  from compensations c left join tasks u on u.session_id = c.session_id and u.step = c.step and u.part = c.part and u.undoes = 1
  order by c.session_id, c.n`;

const undoneInOrder: Invariant = {
  number: "15",
  name: "what was done is undone once, the last thing first, one after the other",
  needs: [],
  *check({ db }) {
    for (const [session, rows] of groupBy(db.all<UndoRow>(UNDOING), (row) => row.session_id)) {
      for (const [i, row] of rows.entries()) yield* misplaced(session, i, row, rows[i - 1]);
    }
  },
};

function* misplaced(session: string, place: number, row: UndoRow, before: UndoRow | undefined): Iterable<string> {
  const name = `compensation ${row.n} of session ${session}`;
  if (row.n !== place) yield `${name} is number ${place}`;
  if (row.ended === null) yield `${name} undoes what was not done`;
  if (before === undefined) return;
  if ((before.ended ?? 0) < (row.ended ?? 0)) yield `${name} undoes what was done after what is undone before it`;
  const isBegun = row.begunAt !== null || row.status !== "pending";
  if (isBegun && before.status === "pending") yield `${name} has begun before ${before.n} has ended`;
  if ((row.begunAt ?? Number.POSITIVE_INFINITY) < (before.undoneAt ?? 0))
    yield `${name} began while ${before.n} was under way`;
}

const undoingCounts: Invariant = {
  number: "2",
  name: "a session that undid what it did says how much of it, and failed",
  needs: [],
  *check({ db }: Evidence) {
    yield* db.texts(`select 'session ' || id || ' is ' || status || ', and undid ' || undo_total || ' less ' || undo_failed
        || ' of ' || planned || ' less ' || (failed + uncertain) from
      (select s.*, (select count(*) from compensations c where c.session_id = s.id) as planned,
        (select count(*) from compensations c where c.session_id = s.id and c.status = 'failed') as failed,
        (select count(*) from session_steps p where p.session_id = s.id and p.status = 'uncertain' and exists (select 1
          from definitions d where d.hash = s.plan_hash
          and json_extract(d.document, '$.tasks[' || p.step || '].compensate') is not null
          and json_extract(d.document, '$.tasks[' || p.step || '].compensate.whenUnknown') is not 'run')
          -- Where another step stood in, the doubt may be that one's, and this one have failed for certain.
          and (exists (select 1 from attempts a join tasks t on t.id = a.task_id where t.session_id = s.id and t.undoes = 0
              and t.step = p.step and (t.open_effects > 0 or a.status in ('timed_out', 'lost', 'cancelled')))
            or exists (select 1 from sessions c where c.parent_id = s.id and c.parent_step = p.step
              and c.status = 'cancelled')
            or not exists (select 1 from definitions d, json_each(d.document, '$.tasks') f
            join session_steps q on q.session_id = s.id and q.step = f.key and q.status = 'uncertain'
            where d.hash = s.plan_hash and f.value ->> 'taskId' = coalesce(
              json_extract(d.document, '$.tasks[' || p.step || '].fallback.taskId'),
              json_extract(d.document, '$.tasks[' || p.step || '].fallback'))))) as uncertain
        from sessions s where s.undo_total is not null and s.ended_at is not null)
      where status <> 'failed' or undo_total <> planned or undo_failed <> failed + uncertain`);
    yield* db.texts(`select 'compensation ' || c.n || ' of session ' || c.session_id || ' was forgotten' from compensations c
      join sessions s on s.id = c.session_id where c.status = 'pending' and s.ended_at is not null`);
  },
};

/** The parts of steps: items, runs, and what undoes them. */
export const PARTS: readonly Invariant[] = [itemsOnce, itemsAtOnce, undoneInOrder, undoingCounts];

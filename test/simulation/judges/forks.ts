import type { JsonObject } from "@opspawn/contract";
import type { Rows } from "../../checker/evidence.ts";
import type { Fact, History } from "../../checker/history.ts";
import type { Forked, Forker } from "../forker.ts";

interface ForkRow {
  readonly id: string;
  readonly source: string;
  readonly input: string | null;
  readonly source_input: string | null;
  readonly workflow_id: string;
  readonly document: string;
}

interface StepRow {
  readonly step: number;
  readonly status: string;
  readonly source: string | null;
}

const FORKS = `select s.id, s.forked_from as source, s.input, o.input as source_input, s.workflow_id, d.document
  from sessions s join sessions o on o.id = s.forked_from join definitions d on d.hash = s.plan_hash`;
/** Steps as they ended: in a row of their own, or as their task did. */
const STEPS = `select step, status, source from session_steps where session_id = :session and status <> 'pending'
  union all select t.step, t.status, null from tasks t where t.session_id = :session and t.part = 0 and t.undoes = 0
    and not exists (select 1 from session_steps p where p.session_id = :session and p.step = t.step
      and p.status <> 'pending')`;
const RUNS = `select distinct step from tasks where session_id = :session and undoes = 0
  union select distinct parent_step from sessions where parent_id = :session`;
const ENDS = new Set(["session.completed", "session.failed", "session.cancelled"]);

/** A session that goes on from another takes over what was done there, does the rest, and nothing twice. */
export function* forksOf(db: Rows, history: History, { forked }: Forker): Iterable<string> {
  for (const row of db.all<ForkRow>(FORKS)) {
    const own = forked.find(({ answer }) => answer === row.id);
    if (own === undefined) {
      yield `session ${row.id} goes on from ${row.source}, and nobody was told of it`;
      continue;
    }
    for (const finding of new Fork(db, history, row, own).judge()) {
      yield `session ${row.id}, which goes on from ${row.source} at ${own.asked.from}: ${finding}`;
    }
  }
}

class Fork {
  readonly #db: Rows;
  readonly #history: History;
  readonly #row: ForkRow;
  readonly #forked: Forked;
  readonly #tasks: readonly JsonObject[];
  readonly #defaultOnFailure: unknown;

  constructor(db: Rows, history: History, row: ForkRow, forked: Forked) {
    this.#db = db;
    this.#history = history;
    this.#row = row;
    this.#forked = forked;
    const { tasks, onFailure } = JSON.parse(row.document) as {
      readonly tasks: JsonObject[];
      readonly onFailure?: string;
    };
    this.#tasks = tasks;
    this.#defaultOnFailure = onFailure;
  }

  *judge(): Iterable<string> {
    const { source, id, input, source_input: before } = this.#row;
    const begun = this.#facts(id)[0]?.position ?? 0;
    const ended = this.#facts(source).find(({ type }) => ENDS.has(type))?.position ?? Number.POSITIVE_INFINITY;
    if (ended > begun) yield "its source had not ended";
    const { asked } = this.#forked;
    if (input !== (asked.input === undefined ? before : asked.input)) yield `its input is ${input}`;
    yield* this.#steps();
    yield* this.#given();
  }

  #facts(session: string): readonly Fact[] {
    return this.#history.streams.get(session) ?? [];
  }

  *#steps(): Iterable<string> {
    const steps = this.#rows(this.#row.id);
    const before = this.#rows(this.#row.source);
    const undone = this.#numbers(
      "select distinct step from compensations where session_id = :session",
      this.#row.source,
    );
    const runs = this.#numbers(RUNS, this.#row.id);
    const done = new Map<number, boolean>();
    for (const [index, { taskId }] of this.#tasks.entries()) {
      const isDone = this.#isDone(index, before, undone, done);
      const [now, then] = [steps.get(index), before.get(index)];
      const isTaken = now?.source != null;
      if (isDone && !isTaken) yield `step ${taskId} was done, and is not taken over`;
      if (isTaken && undone.has(index)) yield `step ${taskId} was undone, and is taken over`;
      if (isTaken) for (const finding of this.#taken(index, now, then, runs)) yield `step ${taskId} ${finding}`;
    }
  }

  *#taken(index: number, now: StepRow, then: StepRow | undefined, runs: ReadonlySet<number>): Iterable<string> {
    // Items of a list are taken over each for itself.
    if (this.#tasks[index]?.forEach !== undefined && now.status !== then?.status) return;
    if (runs.has(index)) yield "was taken over, and done again";
    if (now.status !== then?.status) yield `was ${then?.status}, and is ${now.status}`;
    if (now.source !== (then?.source ?? this.#row.source)) yield `is said to be of ${now.source}`;
    if (this.#isAnew(index)) yield "was to be done anew";
  }

  /** What certainly counts as done: what completed, or failed without harm, with all that led to it. */
  #isDone(
    index: number,
    before: ReadonlyMap<number, StepRow>,
    undone: ReadonlySet<number>,
    known: Map<number, boolean>,
  ): boolean {
    const found = known.get(index);
    if (found !== undefined) return found;
    const { onFailure, dependsOn } = this.#tasks[index] ?? {};
    const status = before.get(index)?.status;
    const isFlow = this.#row.workflow_id.startsWith("flow");
    const isHarmless = isFlow && status === "failed" && (onFailure ?? this.#defaultOnFailure) === "continue";
    const isPlain = isFlow || !this.#isBranched(index);
    const isWell = (status === "completed" || isHarmless) && isPlain && !undone.has(index) && !this.#isAnew(index);
    const isDone = isWell && this.#indexes(dependsOn).every((each) => this.#isDone(each, before, undone, known));
    known.set(index, isDone);
    return isDone;
  }

  /** It stands in for another, or others stand in for it. */
  #isBranched(index: number): boolean {
    const text = JSON.stringify(this.#tasks[index] ?? {});
    const id = this.#tasks[index]?.taskId;
    const isReserve = this.#tasks.some((task, i) => i !== index && JSON.stringify(task).includes(`{"taskId":"${id}"}`));
    return isReserve || text.includes('{"taskId":');
  }

  /** It is the step to begin at, or behind it. */
  #isAnew(index: number): boolean {
    const { from } = this.#forked.asked;
    if (from === null) return false;
    return index === from || this.#indexes(this.#tasks[index]?.dependsOn).some((each) => this.#isAnew(each));
  }

  #indexes(ids: unknown): number[] {
    const all = (ids as readonly string[] | undefined) ?? [];
    return all.map((id) => this.#tasks.findIndex(({ taskId }) => taskId === id));
  }

  #rows(session: string): ReadonlyMap<number, StepRow> {
    return new Map(this.#db.named<StepRow>(STEPS, { session }).map((row) => [row.step, row]));
  }

  #numbers(sql: string, session: string): ReadonlySet<number> {
    return new Set(this.#db.named<{ step: number }>(sql, { session }).map(({ step }) => step));
  }

  /** What was given instead of what the definition says. */
  *#given(): Iterable<string> {
    const { from, parameters } = this.#forked.asked;
    if (parameters === undefined || from === null) return;
    const sql = "select parameters from tasks where session_id = :session and step = :from and undoes = 0";
    for (const task of this.#db.named<{ parameters: string }>(sql, { session: this.#row.id, from })) {
      if (task.parameters !== parameters) yield `its step got ${task.parameters} instead of ${parameters}`;
    }
  }
}

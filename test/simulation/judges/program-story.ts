import type { JsonObject, JsonValue } from "@opspawn/contract";
import type { Rows } from "../../checker/evidence.ts";
import type { Fact, History } from "../../checker/history.ts";
import { groupBy } from "../../checker/invariant.ts";

/** One run of a step: a task or a session of its own. */
export interface Run {
  readonly session: string;
  readonly step: number;
  readonly part: number;
  readonly status: string;
  /** JSON texts. */
  readonly parameters: string;
  readonly result: string | null;
  readonly begunAt: number | null;
  readonly endedAt: number | null;
}

interface Undo {
  readonly session_id: string;
  readonly step: number;
  readonly part: number;
  readonly parameters: string | null;
}

interface Row {
  readonly id: string;
  readonly status: string;
  readonly error: string | null;
  readonly result: string | null;
  readonly failed_steps: string;
  readonly input: string | null;
  readonly undo_total: number | null;
  readonly parent_id: string | null;
  readonly document: string;
}

/** How a step ended first, before anything was undone. */
export interface End {
  readonly at: number;
  readonly status: string;
  /** JSON; null where there is none. */
  readonly error: string | null;
}

export interface ProgramStep {
  readonly id: string;
  readonly index: number;
  readonly written: JsonObject;
  readonly dependsOn: readonly string[];
  /** Whom it is kept for, and as what. */
  readonly owner: { readonly id: string; readonly role: "fallback" | "rejected" | "expired" } | null;
  /** Where in the session's stream it began; null = never. */
  readonly begunAt: number | null;
  readonly end: End | null;
  readonly runs: readonly Run[];
  /** What its row says, JSON. */
  readonly result: string | null;
}

export interface ProgramStory {
  readonly row: Row;
  readonly document: JsonObject;
  readonly input: JsonObject;
  readonly facts: readonly Fact[];
  readonly steps: ReadonlyMap<string, ProgramStep>;
  readonly undone: readonly Undo[];
}

/** Of those that go on from others, `forksOf` judges what is their own. */
const SESSIONS = `select s.*, d.document from sessions s join definitions d on d.hash = s.plan_hash
  where s.workflow_id not like 'flow%' and s.forked_from is null`;
const RUNS = `select session_id as session, step, part, status, parameters, result, started_at as begunAt,
    ended_at as endedAt from tasks where session_id is not null and undoes = 0
  union all select parent_id, parent_step, parent_part, status, input, result, created_at, ended_at from sessions
    where parent_id is not null order by 1, 2, 3`;
const UNDOING = `select c.session_id, c.step, c.part, u.parameters from compensations c left join tasks u
  on u.session_id = c.session_id and u.step = c.step and u.part = c.part and u.undoes = 1`;
const BEGINS = new Set(["step.started", "step.waiting", "task.created"]);
const ENDS = new Set(["completed", "failed", "skipped", "cancelled"]);

/** The sessions whose workflows use the language, and what came of them. */
export function programsOf(db: Rows, history: History): ProgramStory[] {
  const runs = groupBy(db.all<Run>(RUNS), ({ session }) => session);
  const undone = groupBy(db.all<Undo>(UNDOING), ({ session_id }) => session_id);
  const results = new Map(
    db
      .all<{ key: string; result: string | null }>("select session_id || '/' || step as key, result from session_steps")
      .map(({ key, result }) => [key, result]),
  );
  return db.all<Row>(SESSIONS).map((row) => {
    const document = JSON.parse(row.document) as JsonObject;
    const facts = history.streams.get(row.id) ?? [];
    const tasks = document.tasks as JsonObject[];
    const steps = tasks.map((written, index): [string, ProgramStep] => {
      const id = String(written.taskId);
      return [
        id,
        {
          id,
          index,
          written,
          dependsOn: (written.dependsOn as string[] | undefined) ?? [],
          owner: ownerOf(id, tasks),
          begunAt: facts.find((fact) => BEGINS.has(fact.type) && isOf(fact, id))?.sequence ?? null,
          end: endOf(facts, id),
          runs: (runs.get(row.id) ?? []).filter(({ step }) => step === index),
          result: results.get(`${row.id}/${index}`) ?? null,
        },
      ];
    });
    const input = JSON.parse(row.input ?? "{}") as JsonObject;
    return { row, document, input, facts, steps: new Map(steps), undone: undone.get(row.id) ?? [] };
  });
}

function isOf({ data }: Fact, id: string): boolean {
  return data.stepId === id && data.undoes !== true;
}

function ownerOf(id: string, tasks: readonly JsonObject[]): ProgramStep["owner"] {
  for (const { taskId, fallback, approval, wait } of tasks) {
    const names = (value: JsonValue | undefined) => (value as JsonObject | undefined)?.taskId === id;
    const owner = String(taskId);
    if (names(fallback)) return { id: owner, role: "fallback" };
    const { onReject, onTimeout } = { ...(approval as JsonObject), ...(wait as JsonObject) };
    if (names(onReject)) return { id: owner, role: "rejected" };
    if (names(onTimeout)) return { id: owner, role: "expired" };
  }
  return null;
}

/** A step that is its only task ends with that. */
function endOf(facts: readonly Fact[], id: string): End | null {
  const own = facts.filter((fact) => fact.type.startsWith("step.") && isOf(fact, id));
  const task = facts.find((fact) => fact.type === "task.created" && isOf(fact, id));
  const isTask = own.every(({ type }) => !["step.started", "step.waiting"].includes(type));
  const its = isTask && task !== undefined ? facts.filter((fact) => fact.data.taskId === task.data.taskId) : own;
  const found = its.find((fact) => endIn(fact) !== null);
  const status = found === undefined ? null : endIn(found);
  if (found === undefined || status === null) return null;
  const error = found.data.error === undefined ? null : JSON.stringify(found.data.error);
  return { at: found.sequence, status, error };
}

/** How a step ends by this, if it does. What is uncertain of something has failed. */
function endIn({ type, data }: Fact): string | null {
  if (type === "step.uncertain" && data.error !== undefined) return "failed";
  const word = type.split(".")[1] ?? "";
  return ENDS.has(word) && !type.startsWith("attempt.") ? word : null;
}

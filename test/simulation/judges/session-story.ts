import type { JsonObject, JsonValue } from "@opspawn/contract";
import type { Rows } from "../../checker/evidence.ts";
import type { Fact, History } from "../../checker/history.ts";
import { groupBy } from "../../checker/invariant.ts";

export interface SessionRow {
  readonly id: string;
  readonly status: string;
  readonly error: string | null;
  readonly result: string | null;
  readonly failed_steps: string;
  readonly created_at: number;
  readonly ended_at: number;
  readonly forked_from: string | null;
  readonly document: string;
}

interface TaskRow {
  readonly id: string;
  readonly session_id: string;
  readonly step_id: string;
  readonly status: string;
  readonly parameters: string;
  readonly result: string | null;
  readonly error: string | null;
}

interface StepRow {
  readonly session_id: string;
  readonly step: number;
  readonly status: string;
  readonly error: string | null;
  readonly source: string | null;
}

/** A step as it was written, and what became of it. Places are sequence numbers of the session's stream. */
export interface StepStory {
  readonly id: string;
  readonly written: JsonObject;
  readonly dependsOn: readonly string[];
  /** A failure of it is the session's. */
  readonly isFatal: boolean;
  /** It was done in the session that this one goes on from. */
  readonly isTaken: boolean;
  /** What it gets instead of what is written; JSON, null = nothing else. */
  readonly given: string | null;
  readonly task: TaskRow | null;
  /** It failed before a task could be made of it. */
  readonly failedBefore: string | null;
  readonly begunAt: number | null;
  readonly endedAt: number | null;
  readonly status: string;
}

/** A session, what was asked for, and what came of it. */
export interface SessionStory {
  readonly row: SessionRow;
  readonly document: JsonObject;
  readonly steps: ReadonlyMap<string, StepStory>;
  readonly facts: readonly Fact[];
}

/** Of plain workflows; `programsOf` judges the others. */
const SESSIONS = `select s.*, d.document from sessions s join definitions d on d.hash = s.plan_hash
  where s.workflow_id like 'flow%'`;

export function storiesOf(db: Rows, history: History): SessionStory[] {
  const tasks = groupBy(
    db.all<TaskRow>("select * from tasks where session_id is not null"),
    ({ session_id }) => session_id,
  );
  const steps = groupBy(db.all<StepRow>("select * from session_steps"), ({ session_id }) => session_id);
  const givenIn = db.all<GivenRow>("select * from fork_parameters");
  return db.all<SessionRow>(SESSIONS).map((row) => {
    const document = JSON.parse(row.document) as JsonObject;
    const facts = history.streams.get(row.id) ?? [];
    const written = document.tasks as JsonObject[];
    const all = written.map((step, index): [string, StepStory] => {
      const own = steps.get(row.id)?.find((each) => each.step === index) ?? null;
      const where = own?.source ?? row.id;
      const task = tasks.get(where)?.find(({ step_id }) => step_id === step.taskId) ?? null;
      const given = givenIn.find(({ session_id, step }) => session_id === row.id && step === index)?.parameters ?? null;
      return [String(step.taskId), storyOf(step, { document, task, own, facts, given })];
    });
    return { row, document, facts, steps: new Map(all) };
  });
}

interface GivenRow {
  readonly session_id: string;
  readonly step: number;
  readonly parameters: string;
}

interface Found {
  readonly given: string | null;
  readonly document: JsonObject;
  readonly task: TaskRow | null;
  readonly own: StepRow | null;
  readonly facts: readonly Fact[];
}

function storyOf(written: JsonObject, { document, task, own, facts, given }: Found): StepStory {
  const isTaken = own?.source != null;
  const taking = facts.find(({ type, data }) => type === "step.taken_over" && data.stepId === written.taskId);
  const place = (...types: string[]): number | null => {
    if (isTaken) return taking?.sequence ?? null;
    return facts.find(({ type, data }) => types.includes(type) && data.taskId === task?.id)?.sequence ?? null;
  };
  const failedBefore = task === null && own?.status === "failed" ? (own.error ?? "{}") : null;
  return {
    id: String(written.taskId),
    written,
    dependsOn: written.dependsOn as string[],
    isFatal: (written.onFailure ?? document.onFailure) !== "continue",
    isTaken,
    given,
    task,
    failedBefore,
    begunAt: task === null ? null : place("task.created"),
    endedAt: task === null ? null : place("task.completed", "task.failed", "task.cancelled"),
    status: task?.status ?? (failedBefore === null ? "none" : "failed"),
  };
}

export function resultOf({ task }: StepStory): JsonValue {
  return task?.status === "completed" ? (JSON.parse(task.result ?? "null") as JsonValue) : null;
}

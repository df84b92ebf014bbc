import { parseTime } from "@opspawn/contract";
import { stepTable } from "../../packages/ops-core/src/domain/sessions/transitions.ts";
import type { Fact, History } from "./history.ts";

/** What an event says of a step. */
const STEP: Readonly<Record<string, keyof typeof stepTable.transitions>> = {
  "step.started": "start",
  "step.waiting": "wait",
  "step.completed": "complete",
  "step.failed": "fail",
  "step.skipped": "skip",
  "step.cancelled": "cancel",
  "step.uncertain": "doubt",
  "step.compensated": "compensate",
};
/** A step without events of its own is as its task is. */
const TASK: Readonly<Record<string, keyof typeof stepTable.transitions>> = {
  "task.completed": "complete",
  "task.failed": "fail",
  "task.cancelled": "cancel",
};
/** What becomes of a pending approval. */
const APPROVAL: Readonly<Record<string, string>> = {
  "approval.approved": "approved",
  "approval.rejected": "rejected",
  "approval.expired": "expired",
  "approval.cancelled": "cancelled",
};
/** Facts about a session that change no state, and come only while it is open. */
const NOTES = new Set([
  "session.child_started",
  "session.signalled",
  "session.compensating",
  "step.timer_set",
  "step.undone",
  "step.not_undone",
]);
const ASKED = new Set(["approval.requested", "approval.reminded"]);
const ENDS = new Set(["session.completed", "session.failed", "session.cancelled"]);

/** A step that ended in another session: its data say how. */
const TAKEN = "step.taken_over";

/** Whether this fold knows what an event says. */
export function isOfSteps(type: string): boolean {
  return type === TAKEN || type in STEP || type in APPROVAL || ASKED.has(type) || NOTES.has(type);
}

export interface StepFold {
  /** The states of steps, by `<session>/<step id>`. */
  readonly steps: ReadonlyMap<string, string>;
  /** By id. */
  readonly approvals: ReadonlyMap<string, string>;
  /** Events that no table allows where they stand. */
  readonly illegal: readonly string[];
  /** What happened in a session after its end. */
  readonly afterEnd: readonly string[];
  /** Times that came before they were due. */
  readonly early: readonly string[];
}

const folds = new WeakMap<History, StepFold>();

/** Plays all events of steps and approvals through the product's own table. */
export function foldSteps(history: History): StepFold {
  const known = folds.get(history);
  if (known !== undefined) return known;
  const folder = new Folder();
  for (const facts of history.streams.values()) for (const fact of facts) folder.take(fact);
  folds.set(history, folder);
  return folder;
}

class Folder implements StepFold {
  readonly steps = new Map<string, string>();
  readonly approvals = new Map<string, string>();
  readonly illegal: string[] = [];
  readonly afterEnd: string[] = [];
  readonly early: string[] = [];
  readonly #ended = new Set<string>();
  /** The step that is as a task is, by the task's id. */
  readonly #asTask = new Map<string, string>();
  /** When what a step or an approval waits for is due. */
  readonly #due = new Map<string, number>();

  take(fact: Fact): void {
    const { type, stream } = fact;
    if (isOfSteps(type) && this.#ended.has(stream)) this.afterEnd.push(`${nameOf(fact)} came after the session's end`);
    if (ENDS.has(type)) this.#ended.add(stream);
    this.#time(fact);
    if (type.startsWith("approval.")) this.#takeApproval(fact);
    else if (type.startsWith("task.")) this.#takeTask(fact);
    else if (type === TAKEN) this.#takeOver(fact);
    else if (STEP[type] !== undefined) this.#apply(keyOf(fact), STEP[type], fact);
  }

  #takeOver(fact: Fact): void {
    const before = this.steps.get(keyOf(fact));
    if (before !== undefined) this.illegal.push(`${nameOf(fact)}: step ${keyOf(fact)} was ${before}`);
    this.steps.set(keyOf(fact), String(fact.data.status));
  }

  #takeTask(fact: Fact): void {
    const { type, data } = fact;
    const taskId = String(data.taskId);
    if (type === "task.created") {
      const isOnly = typeof data.stepId === "string" && data.part === undefined && data.undoes === undefined;
      if (!isOnly || this.steps.has(keyOf(fact))) return;
      this.#asTask.set(taskId, keyOf(fact));
      this.#apply(keyOf(fact), "start", fact);
      return;
    }
    const [key, event] = [this.#asTask.get(taskId), TASK[type]];
    if (key !== undefined && event !== undefined) this.#apply(key, event, fact);
  }

  #apply(key: string, event: keyof typeof stepTable.transitions, fact: Fact): void {
    // What is cancelled as it begins has no event of its beginning.
    const before = this.steps.get(key) ?? (event === "cancel" ? "running" : "pending");
    const { from, to } = stepTable.transitions[event];
    if (!from.some((state) => state === before)) this.illegal.push(`${nameOf(fact)}: step ${key} was ${before}`);
    this.steps.set(key, to);
  }

  #takeApproval(fact: Fact): void {
    const id = String(fact.data.approvalId);
    const before = this.approvals.get(id);
    if (fact.type === "approval.requested") {
      if (before !== undefined) this.illegal.push(`${nameOf(fact)}: approval ${id} exists already`);
      this.approvals.set(id, "pending");
      return;
    }
    if (before !== "pending") this.illegal.push(`${nameOf(fact)}: approval ${id} was ${before ?? "not asked for"}`);
    if (fact.type === "approval.reminded") return;
    this.approvals.set(id, APPROVAL[fact.type] ?? "unknown");
  }

  /** Expects what was announced no sooner than it was said to be due. */
  #time(fact: Fact): void {
    const { type, data, at } = fact;
    if (type === "step.timer_set") this.#due.set(keyOf(fact), timeOf(data.until));
    if (type === "approval.requested") this.#due.set(String(data.approvalId), timeOf(data.expiresAt));
    if (type !== "step.completed" && type !== "approval.expired") return;
    const due = this.#due.get(type === "step.completed" ? keyOf(fact) : String(data.approvalId)) ?? 0;
    if (at < due) this.early.push(`${nameOf(fact)} came ${due - at} us before its time`);
  }
}

function timeOf(text: unknown): number {
  return parseTime(String(text)) ?? Number.POSITIVE_INFINITY;
}

function keyOf({ stream, data }: Fact): string {
  return `${stream}/${String(data.stepId)}`;
}

function nameOf({ type, stream, sequence }: Fact): string {
  return `${type} on ${stream}/${sequence}`;
}

import type { Blocked } from "../blocked.ts";
import type { TaskError } from "../tasks/task.ts";
import type { SessionStatus, StepStatus } from "./transitions.ts";

/** Why a session is paused. */
export interface Pause {
  /** The session that was asked to: itself, or one above it. */
  readonly sessionId: string;
  /** Who asked. */
  readonly by: string;
  readonly reason: string | null;
  readonly since: number;
}

/** A session as stored. Times are microseconds; `input` and `result` are JSON text. */
export interface SessionRecord {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly planHash: string;
  readonly agentId: string | null;
  readonly status: SessionStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: string | null;
  readonly result: string | null;
  readonly error: TaskError | null;
  readonly failedSteps: readonly string[];
  /** Steps of which nobody knows whether they, or what they announced, happened. */
  readonly uncertainSteps: readonly string[];
  /** Null as long as nothing is, or was, undone. */
  readonly compensation: "running" | "complete" | "incomplete" | null;
  /** The session whose step it is; null for one that was started by itself. */
  readonly parentId: string | null;
  /** Which step of it. */
  readonly parentStep: number | null;
  /** The session whose finished steps it took over; null for one that began at the beginning. */
  readonly forkedFrom: string | null;
  /** Added to the priority of its steps. */
  readonly priority: number;
  /** Set while it is paused. */
  readonly pause: Pause | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
  /** Why its first waiting task waits, as last evaluated; null when none waits. */
  readonly blocked: Blocked | null;
}

/** A step that was touched; steps without a record are pending. */
export interface StepRecord {
  readonly index: number;
  readonly status: StepStatus;
  readonly taskId: string | null;
  readonly agentId: string | null;
  readonly attempts: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly error: TaskError | null;
  /** Of a `forEach` whose list is known. */
  readonly items: {
    readonly total: number;
    readonly begun: number;
    readonly open: number;
    readonly failed: number;
  } | null;
  /** The run of a `repeat` that is under way, or was the last; 0 for others. */
  readonly iteration: number;
  /** When the time it waits for has come, or its patience ends. */
  readonly wakeAt: number | null;
  /** The signal it waits for. */
  readonly signal: string | null;
  /** The session it consists of, or the last one. */
  readonly childId: string | null;
  readonly approvalId: string | null;
  /** The session in which it ended, where this one took it over. */
  readonly source: string | null;
}

export interface SessionFilter {
  readonly status?: string | undefined;
  readonly workflow?: string | undefined;
  readonly agent?: string | undefined;
  readonly label?: { readonly key: string; readonly value: string } | undefined;
  /** Created at or after. */
  readonly since?: number | undefined;
  /** Created before. */
  readonly until?: number | undefined;
  readonly blockedReason?: string | undefined;
  /** The session whose steps they are. */
  readonly parent?: string | undefined;
}

/** A session that goes on from one that has ended, under the same definition. */
export interface ForkSession {
  readonly sessionId: string;
  readonly sourceId: string;
  /** The step to begin anew, with all behind it; null = where it failed or was cancelled. */
  readonly from: number | null;
  /** JSON text or null; absent = that of the source. */
  readonly input?: string | null;
  /** JSON text; what the step `from` gets instead of its own. */
  readonly parameters?: string;
  /** Absent = those of the source. */
  readonly labels?: Readonly<Record<string, string>>;
}

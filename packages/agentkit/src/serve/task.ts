import type { JsonObject } from "@opspawn/contract";
import { TaskFailure, type TaskFailureOptions } from "@opspawn/sdk";
import type { Logger } from "./logger.ts";

// What a handler throws, for those who write handlers.
export { TaskFailure, type TaskFailureOptions };

/** What a handler is given. */
export interface AgentTask {
  /** The same over all attempts: name effects after it and each happens once. */
  readonly taskId: string;
  /** The step's name in its workflow, or null. */
  readonly name: string | null;
  /** The capability that was asked for, or null when the task was sent to this agent by name. */
  readonly capability: string | null;
  /** The message's payload. */
  readonly parameters: JsonObject;
  readonly sessionId: string | null;
  /** 1 for the first try. */
  readonly attempt: number;
  /** `workflow_task`, or whatever another agent wrote. */
  readonly messageType: string;
  readonly senderId: string | null;
  /** Aborts when the deadline passes, the task is cancelled or the agent stops; work that goes on is of no use. */
  readonly signal: AbortSignal;
  /**
   * Says how far the work is: a number of your own that grows (items, bytes, steps), and a note for people. A sign of life
   * to the platform, which takes an attempt whose counter stands still for stuck where a `silenceTimeout` says so. Never
   * rejects; when the attempt is not wanted any more, `signal` aborts.
   */
  readonly progress: (counter?: number, note?: string) => Promise<void>;
  /** Adds the task's ids to each record. */
  readonly logger: Logger;
}

/**
 * Does a task and returns its result: any JSON value, at most 256 KB of it. Throw a `TaskFailure` to say how it failed.
 * It may be called again for the same `taskId` after a failure or a crash.
 */
export type TaskHandler = (task: AgentTask) => unknown;

import type { JsonObject, JsonValue } from "@opspawn/contract";
import { type Act, EffectNotDone, type EffectOptions, TaskFailure, type TaskFailureOptions } from "@opspawn/sdk";
import type { Logger } from "./logger.ts";

// What a handler throws, for those who write handlers.
export { EffectNotDone, TaskFailure, type TaskFailureOptions };

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
  /**
   * Does something outside, once over all attempts: announces it, does it under a key that never changes, and tells that
   * it is done. Where an earlier attempt did it, its result is given instead. Throw an `EffectNotDone` when nothing has
   * happened; any other error leaves that open. For a message without a task it is done without being announced.
   */
  readonly effect: <T extends JsonValue | undefined>(
    effectId: string,
    payload: JsonValue,
    act: Act<T>,
    options?: EffectOptions,
  ) => Promise<T>;
  /** Adds the task's ids to each record. */
  readonly logger: Logger;
}

/**
 * Does a task and returns its result: any JSON value, at most 256 KB of it. Throw a `TaskFailure` to say how it failed.
 * It may be called again for the same `taskId` after a failure or a crash.
 */
export type TaskHandler = (task: AgentTask) => unknown;

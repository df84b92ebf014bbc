import type { CancelNotice } from "../cancellations/cancellation.ts";
import type { TaskProgress } from "./task.ts";
import type { AttemptStatus } from "./transitions.ts";

/** One word of an agent about an attempt. */
export interface ProgressBeat {
  readonly counter: number | null;
  /** Null = as it was. */
  readonly note: string | null;
}

export type ProgressNoted =
  | { readonly type: "noted"; readonly leaseUntil: number; readonly progress: TaskProgress }
  /** The attempt has ended; that the agent is still at it was kept. */
  | {
      readonly type: "stale";
      readonly attemptStatus: AttemptStatus;
      /** What the agent is told by that, when the attempt was cancelled. */
      readonly cancellation: CancelNotice | null;
    };

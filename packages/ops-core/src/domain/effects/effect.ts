import type { EffectStatus } from "./transitions.ts";

/** Bytes of JSON that an announced payload may have; what is larger is announced by its hash. */
export const EFFECT_PAYLOAD_MAX = 16_384;
/** Bytes of JSON that a receipt's result may have. */
export const EFFECT_RESULT_MAX = 65_536;
/** Effects that one task may announce. */
export const EFFECTS_PER_TASK_MAX = 100;

/** Who told what came of an effect. `outcome`: the task completed without a word about it. */
export type ReceiptSource = "agent" | "outcome" | "person" | "tool" | "compensation";

/** Something that an agent does outside, announced before it is done. Times are microseconds. */
export interface Effect {
  readonly taskId: string;
  readonly effectId: string;
  readonly sessionId: string | null;
  readonly stepId: string | null;
  /** The same for every attempt of the task. */
  readonly key: string;
  readonly kind: string | null;
  readonly description: string | null;
  readonly payloadHash: string | null;
  /** JSON text or null. */
  readonly payload: string | null;
  readonly status: EffectStatus;
  /** The attempt that announced it last. */
  readonly attempt: number;
  readonly announcedAt: number;
  readonly receipt: EffectReceipt | null;
}

export interface EffectReceipt {
  readonly status: Exclude<EffectStatus, "intended">;
  /** JSON text or null. */
  readonly result: string | null;
  readonly note: string | null;
  readonly at: number;
  /** Null when it was no agent that told it. */
  readonly attempt: number | null;
  readonly by: ReceiptSource;
}

/** What an agent is about to do. */
export interface Intent {
  readonly effectId: string;
  readonly kind: string | null;
  readonly description: string | null;
  readonly payloadHash: string | null;
  /** JSON text or null. */
  readonly payload: string | null;
}

export type ToldReceipt = Pick<EffectReceipt, "status" | "result" | "note">;

/** `differs`: the effect is known with another payload, so that the attempt, and its task, have ended. */
export type Announced =
  | { readonly type: "intended"; readonly effect: Effect; readonly again: boolean }
  | { readonly type: "done"; readonly effect: Effect }
  | { readonly type: "differs"; readonly effect: Effect };

export interface EffectFilter {
  readonly status?: EffectStatus | undefined;
  readonly session?: string | undefined;
}

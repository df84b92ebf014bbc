import { beginning, type JsonValue } from "@opspawn/contract";
import type { EffectIntent, Effects } from "./effects.ts";
import { TaskFailure } from "./task-failure.ts";

/** Whose effect it is, the task and the token of the attempt, and where it is announced. */
export interface EffectTicket {
  readonly effects: Pick<Effects, "announce" | "receipt">;
  readonly taskId: string;
  readonly token: string;
}

export interface EffectOptions {
  /** Such as `payment` or `mail`. */
  readonly kind?: string | undefined;
  /** For people who are asked whether it happened. */
  readonly description?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears of a receipt that did not arrive; the effect is done all the same. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Does the effect. Give the key to whoever receives it, so that a repetition is known for one. */
export type Act<T> = (
  idempotencyKey: string,
  about: {
    /** An earlier attempt announced it, and nobody knows whether it happened. */
    readonly again: boolean;
  },
) => Promise<T> | T;

/** Thrown by an `Act` that knows that nothing has happened. Any other error leaves that open. */
export class EffectNotDone extends TaskFailure {}

/** A receipt is worth some patience: without it somebody may have to find out what happened. */
const RECEIPT_RETRIES = 6;

/** What a platform takes; beyond it, it would refuse the receipt. */
const NOTE_LIMIT = 1_000;

/**
 * Announces an effect, does it, and tells that it is done; or, where an earlier attempt did it, only gives its result.
 * @param payload what is to be done: the same for the same `effectId`, at most 16 KB of JSON
 * @returns what `act` came to, as JSON holds it, now or in an earlier attempt
 * @throws what `act` throws; OpspawnApiError `lease_lost` when the attempt is over, `effect_differs` when this effect was
 *   announced with another payload
 */
export async function performEffect<T extends JsonValue | undefined>(
  { effects, taskId, token }: EffectTicket,
  effectId: string,
  payload: JsonValue,
  act: Act<T>,
  { kind, description, signal, onError }: EffectOptions = {},
): Promise<T> {
  const intent: EffectIntent = {
    token,
    effectId,
    payload,
    ...(kind === undefined ? {} : { kind }),
    ...(description === undefined ? {} : { description }),
  };
  const { status, idempotencyKey, again, receipt } = await effects.announce(taskId, intent, { signal });
  if (status === "done") return (receipt?.result ?? null) as T;
  // Told without the signal: who was stopped in the middle still knows what has happened.
  const tell = async (body: { status: "done" | "not_done"; result?: JsonValue; note?: string }): Promise<void> => {
    try {
      await effects.receipt(taskId, effectId, { token, ...body }, { maxRetries: RECEIPT_RETRIES });
    } catch (error) {
      onError?.(error);
    }
  };
  try {
    const result = await act(idempotencyKey, { again });
    await tell({ status: "done", result: result ?? null });
    return result;
  } catch (error) {
    if (error instanceof EffectNotDone) await tell({ status: "not_done", note: beginning(error.message, NOTE_LIMIT) });
    throw error;
  }
}

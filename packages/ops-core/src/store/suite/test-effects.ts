import type { Announced, Effect, Intent, ToldReceipt } from "../../domain/effects/effect.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { need, type World } from "./test-world.ts";

/** The agent that has an attempt is about to do something. */
export function intend(
  w: World,
  { taskId, token }: ClaimedAttempt,
  effectId: string,
  rest: Partial<Intent> = {},
): Promise<Announced> {
  const nothing = { kind: null, description: null, payloadHash: null, payload: null };
  return w.store.effects.intend(taskId, token, { effectId, ...nothing, ...rest });
}

export function receipt(
  w: World,
  { taskId, token }: ClaimedAttempt,
  effectId: string,
  status: ToldReceipt["status"],
  rest: Partial<ToldReceipt> = {},
): Promise<Effect> {
  return w.store.effects.receipt(taskId, token, effectId, { status, result: null, note: null, ...rest });
}

export async function effectOf(w: World, { taskId }: ClaimedAttempt, effectId: string): Promise<Effect> {
  const effects = await w.store.effects.ofTask(taskId);
  return need(
    effects.find((effect) => effect.effectId === effectId),
    effectId,
  );
}

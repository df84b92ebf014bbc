import type { Announced, Effect, Intent, ToldReceipt } from "../../domain/effects/effect.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { workers } from "./test-language.ts";
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

/** Workers, and beside them a task in doubt that nothing in the test is about. */
export async function workersAndBystander(w: World): Promise<void> {
  await w.agent("bystander", { capabilities: ["stand"] });
  const onUncertain = { ask: { timeout: "365d" } };
  await w.start({ id: "beside", name: "Beside", tasks: [{ taskId: "z", agentCapability: "stand", onUncertain }] });
  const sent = w.take();
  await intend(w, sent, "stand");
  await w.fail(sent);
  await workers(w);
}

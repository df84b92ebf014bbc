import type { Cancellation, CancelReceipt } from "../../domain/cancellations/cancellation.ts";
import type { RegisterAgent } from "../../domain/store.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { need, type World } from "./test-world.ts";

/** An agent that takes cancel messages. */
export const LISTENS: Partial<RegisterAgent> = { metadata: { config: { cancel: true } } };

/** How long each stage lasts, in seconds, where the attempt had 40; and what is said of its end. */
export const STAGES = [
  ["requested", 15, "The agent could not be told in time."],
  ["delivered", 15, "The agent was told, and did not answer in time."],
  ["acknowledged", 40, "The agent said that it would stop, and did not say that it has."],
] as const;

/** A task that an agent had when it was cancelled; the agent is registered when there is none yet. */
export async function cancelled(w: World, agent: Partial<RegisterAgent>, { timeout = 120_000_000 } = {}) {
  const known = await w.store.agents.getByName("worker");
  if (known === null) await w.agent("worker", { capabilities: ["work"], maxConcurrency: 1, ...agent });
  else await w.report(known.id, "idle");
  await w.task({ timeout });
  const attempt = w.take();
  await w.store.tasks.cancel(attempt.taskId, "no more");
  const one = async (): Promise<Cancellation> =>
    need((await w.store.cancellations.ofTask(attempt.taskId))[0], "cancellation");
  return { agentId: attempt.agentId, attempt, one };
}

/** Its stage, how that is known, and what was said. */
export function said({ stage, evidence, note }: Cancellation) {
  return [stage, evidence, note];
}

/** The agent's word. */
export function confirm(
  w: World,
  { taskId, token }: ClaimedAttempt,
  status: CancelReceipt["status"],
  note: string | null,
) {
  return w.store.cancellations.confirm(taskId, token, { status, note });
}

/** The cancel message that is to be sent. */
export async function messageOf(w: World): Promise<string> {
  const due = await w.store.deliveries.due(5, ["message"]);
  return need(due.at(-1), "message").id;
}

import type { Assignment } from "@opspawn/contract";
import type { CancelledAttempt } from "../cancellations/cancellation.ts";
import type { Context } from "../context.ts";
import type { Ports } from "../ports.ts";
import { invalidField } from "../request-fields.ts";
import { assignmentOf } from "../tasks/assignment.ts";
import { type ClaimedAttempt, lanesServed } from "../tasks/task.ts";
import { laneKey } from "../waiters.ts";
import { needAgent } from "./view.ts";

/**
 * Pull: claims at once what there is, else waits for work, or for news of what is to be stopped. Each look renews the agent's lease, and a wait looks again
 * well before it ends.
 * @param ms how long to wait
 */
export async function claimTasks(
  ports: Ports,
  context: Context,
  request: { readonly agentId: string; readonly max: number; readonly ms: number },
): Promise<{ tasks: Assignment[]; cancelled: CancelledAttempt[] }> {
  const { store, waiters } = ports;
  const agent = await needAgent(store, request.agentId);
  if (agent.channel !== "pull") {
    throw invalidField(["path", "agentId"], 'is sent its work; to ask for it, register it with `channel: "pull"`');
  }
  const wait = waiters.open(lanesServed(agent).map(laneKey), request.ms, context.signal, agent.id);
  try {
    for (;;) {
      const claimed = await store.agents.claim(agent.id, request.max);
      const { told, isNews } = await store.cancellations.tell(agent.id);
      // What it was told before is said again, but is no reason to answer sooner.
      if (claimed.length > 0 || isNews || !(await wait.next())) return answerOf(ports, claimed, told);
    }
  } finally {
    wait.close();
  }
}

function answerOf(ports: Ports, claimed: readonly ClaimedAttempt[], told: readonly CancelledAttempt[]) {
  return { tasks: claimed.map((attempt) => assignmentOf(attempt, ports.publicUrl())), cancelled: [...told] };
}

import type { Kind } from "../workload.ts";

/** Attempts are used up by kills that outlast a timeout; a task that dies of that would prove nothing. */
export const RETRY = { maxAttempts: 12, initialDelay: "100ms", maxDelay: "1s" };

/** A step for one kind of agent, called like it. */
export function step(kind: Kind, more: object) {
  return { taskId: kind as string, name: `Step ${kind}`, agentCapability: `chaos.${kind}`, retry: RETRY, ...more };
}

import type { AgentCapacity } from "./claimable.ts";

/** An agent of one slot that is idle and free, and of which nothing bad is known. */
export function idleCapacity(now: number): AgentCapacity {
  return {
    state: "idle",
    stateLapsesAt: now + 1,
    channel: "push",
    heartbeat: false,
    leaseUntil: null,
    maxConcurrency: 1,
    held: 0,
    draining: 0,
    circuit: null,
    quarantine: null,
    probe: null,
  };
}

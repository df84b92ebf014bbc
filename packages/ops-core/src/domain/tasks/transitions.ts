import type { TransitionTable } from "../transition-table.ts";

export type TaskStatus = "pending" | "running" | "completed" | "failed" | "cancelled";
export type TaskEvent = "claim" | "release" | "retry" | "doubt" | "complete" | "affirm" | "fail" | "cancel";

/**
 * `release`: its attempt used nothing up (undelivered, lost for the first time), so it may be claimed again at once.
 * `retry`: an attempt was used up; the next one waits for the backoff.
 */
export const taskTable: TransitionTable<TaskStatus, TaskEvent> = {
  noun: "task",
  states: ["pending", "running", "completed", "failed", "cancelled"],
  initial: ["pending"],
  transitions: {
    claim: { from: ["pending"], to: "running" },
    release: { from: ["running"], to: "pending" },
    // Of a pending one: it was in doubt, and is so no more.
    retry: { from: ["pending", "running"], to: "pending" },
    // An attempt died with open effects, and something is to tell what came of them.
    doubt: { from: ["running"], to: "pending" },
    complete: { from: ["running"], to: "completed" },
    // Of a task in doubt: somebody, or a tool, says that it was done.
    affirm: { from: ["pending"], to: "completed" },
    fail: { from: ["pending", "running"], to: "failed" },
    cancel: { from: ["pending", "running"], to: "cancelled" },
  },
};

export type AttemptStatus =
  | "created"
  | "dispatched"
  | "acknowledged"
  | "succeeded"
  | "failed"
  | "timed_out"
  | "lost"
  | "cancelled";
export type AttemptEvent = "dispatch" | "resend" | "acknowledge" | "succeed" | "fail" | "time_out" | "lose" | "cancel";

const sending = ["created", "dispatched"] as const;
const open = ["created", "dispatched", "acknowledged"] as const;

/**
 * `created`: claimed, nothing known to be sent. `dispatched`: bytes left. `acknowledged`: the agent has it.
 * An outcome may overtake the record of its own dispatch, so every open state may end.
 */
export const attemptTable: TransitionTable<AttemptStatus, AttemptEvent> = {
  noun: "attempt",
  states: ["created", "dispatched", "acknowledged", "succeeded", "failed", "timed_out", "lost", "cancelled"],
  initial: ["created"],
  transitions: {
    dispatch: { from: ["created"], to: "dispatched" },
    resend: { from: sending, to: "created" },
    acknowledge: { from: sending, to: "acknowledged" },
    succeed: { from: open, to: "succeeded" },
    fail: { from: open, to: "failed" },
    time_out: { from: open, to: "timed_out" },
    lose: { from: open, to: "lost" },
    cancel: { from: open, to: "cancelled" },
  },
};

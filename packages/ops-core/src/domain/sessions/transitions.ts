import type { TransitionTable } from "../transition-table.ts";

export type SessionStatus = "started" | "running" | "waiting" | "paused" | "completed" | "failed" | "cancelled";
export type SessionEvent = "run" | "complete" | "fail" | "cancel";

const open = ["started", "running"] as const;

/** `waiting` and `paused` are words of the API that no event of this version leads to. */
export const sessionTable: TransitionTable<SessionStatus, SessionEvent> = {
  noun: "session",
  states: ["started", "running", "completed", "failed", "cancelled"],
  initial: ["started"],
  transitions: {
    run: { from: ["started"], to: "running" },
    complete: { from: open, to: "completed" },
    fail: { from: open, to: "failed" },
    cancel: { from: open, to: "cancelled" },
  },
};

export type StepStatus = "pending" | "running" | "completed" | "failed" | "skipped" | "cancelled";
export type StepEvent = "start" | "complete" | "fail" | "skip" | "cancel";

export const stepTable: TransitionTable<StepStatus, StepEvent> = {
  noun: "step",
  states: ["pending", "running", "completed", "failed", "skipped", "cancelled"],
  initial: ["pending"],
  transitions: {
    start: { from: ["pending"], to: "running" },
    complete: { from: ["running"], to: "completed" },
    // A step whose parameters cannot be evaluated fails before it starts.
    fail: { from: ["pending", "running"], to: "failed" },
    skip: { from: ["pending"], to: "skipped" },
    cancel: { from: ["pending", "running"], to: "cancelled" },
  },
};

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
export type StepEvent = "start" | "complete" | "fail" | "cancel";

/** `skipped` is a word of the API that no event of this version leads to. A step that never began stays `pending`. */
export const stepTable: TransitionTable<StepStatus, StepEvent> = {
  noun: "step",
  states: ["pending", "running", "completed", "failed", "cancelled"],
  initial: ["pending"],
  transitions: {
    start: { from: ["pending"], to: "running" },
    complete: { from: ["running"], to: "completed" },
    // A step whose parameters cannot be evaluated fails as it starts, in one transaction.
    fail: { from: ["pending", "running"], to: "failed" },
    cancel: { from: ["running"], to: "cancelled" },
  },
};

import type { TransitionTable } from "../transition-table.ts";

export type SessionStatus = "started" | "running" | "waiting" | "paused" | "completed" | "failed" | "cancelled";
export type SessionEvent = "run" | "wait" | "pause" | "resume" | "complete" | "fail" | "cancel";

const open = ["started", "running", "waiting", "paused"] as const;

/**
 * `waiting`: nothing runs, and only times, signals and decisions are open. `paused`: what runs may end, and what follows
 * from it is noted, but nothing new is given out. A session paused with the one it is a step of may be paused for itself.
 */
export const sessionTable: TransitionTable<SessionStatus, SessionEvent> = {
  noun: "session",
  states: ["started", "running", "waiting", "paused", "completed", "failed", "cancelled"],
  initial: ["started"],
  transitions: {
    run: { from: ["started"], to: "running" },
    wait: { from: ["started", "running"], to: "waiting" },
    pause: { from: open, to: "paused" },
    resume: { from: ["waiting", "paused"], to: "running" },
    complete: { from: open, to: "completed" },
    fail: { from: open, to: "failed" },
    cancel: { from: open, to: "cancelled" },
  },
};

export type StepStatus =
  | "pending"
  | "waiting"
  | "running"
  | "completed"
  | "failed"
  | "skipped"
  | "uncertain"
  | "compensated"
  | "cancelled";
export type StepEvent = "start" | "wait" | "complete" | "fail" | "skip" | "cancel" | "doubt" | "compensate";

/** A step that never began when its session ends stays `pending`, and is shown as skipped. */
export const stepTable: TransitionTable<StepStatus, StepEvent> = {
  noun: "step",
  states: ["pending", "waiting", "running", "completed", "failed", "skipped", "uncertain", "compensated", "cancelled"],
  initial: ["pending"],
  transitions: {
    start: { from: ["pending"], to: "running" },
    wait: { from: ["pending", "running"], to: "waiting" },
    complete: { from: ["pending", "waiting", "running"], to: "completed" },
    // A step whose parameters cannot be evaluated fails as it starts, in one transaction.
    fail: { from: ["pending", "waiting", "running"], to: "failed" },
    // Its condition does not hold, or a branch was not taken.
    skip: { from: ["pending", "running"], to: "skipped" },
    cancel: { from: ["waiting", "running"], to: "cancelled" },
    // Nobody knows whether it, an item of it, or what it announced, was done, and nobody says to undo it all the same.
    doubt: { from: ["running", "completed", "failed", "cancelled"], to: "uncertain" },
    compensate: { from: ["completed", "failed", "uncertain", "cancelled"], to: "compensated" },
  },
};

const OPEN_STEP: ReadonlySet<StepStatus> = new Set(["pending", "waiting", "running"]);

/** What has ended may still be undone, but never begins again. */
export function stepHasEnded(status: StepStatus): boolean {
  return !OPEN_STEP.has(status);
}

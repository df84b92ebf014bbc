import type { TransitionTable } from "../transition-table.ts";

export type CancellationStage =
  | "requested"
  | "delivered"
  | "acknowledged"
  | "stopped"
  | "finished"
  | "refused"
  | "unreachable";
/** Stages in which something is still waited for. */
export type OpenStage = "requested" | "delivered" | "acknowledged";
export type CancellationEvent = "deliver" | "acknowledge" | "stop" | "finish" | "refuse" | "give_up";

const open = ["requested", "delivered", "acknowledged"] as const;

/**
 * `finished`: the work was done nonetheless, or had ended before. `unreachable`: a stage's time passed. What an agent says
 * is a fact, so a late word still changes what is known of one that was given up or refused; nothing opens again.
 */
export const cancellationTable: TransitionTable<CancellationStage, CancellationEvent> = {
  noun: "cancellation",
  states: [...open, "stopped", "finished", "refused", "unreachable"],
  initial: ["requested"],
  transitions: {
    deliver: { from: ["requested"], to: "delivered" },
    acknowledge: { from: ["requested", "delivered"], to: "acknowledged" },
    stop: { from: [...open, "refused", "unreachable"], to: "stopped" },
    finish: { from: [...open, "stopped", "refused", "unreachable"], to: "finished" },
    refuse: { from: [...open, "unreachable"], to: "refused" },
    give_up: { from: open, to: "unreachable" },
  },
};

const OPEN: ReadonlySet<CancellationStage> = new Set(open);

export function isOpenStage(stage: CancellationStage): stage is OpenStage {
  return OPEN.has(stage);
}

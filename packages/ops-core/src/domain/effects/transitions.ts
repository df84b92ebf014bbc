import type { TransitionTable } from "../transition-table.ts";

export type EffectStatus = "intended" | "done" | "failed" | "not_done";
export type EffectEvent = "intend" | "do" | "fail" | "deny";

/**
 * `intended`: announced, and nobody has said what came of it. `failed`: it was tried and has no effect. `not_done`: it was
 * not tried. That something happened is never taken back.
 */
export const effectTable: TransitionTable<EffectStatus, EffectEvent> = {
  noun: "effect",
  states: ["intended", "done", "failed", "not_done"],
  initial: ["intended"],
  transitions: {
    // A later attempt is about to do it.
    intend: { from: ["intended", "failed", "not_done"], to: "intended" },
    do: { from: ["intended", "failed", "not_done"], to: "done" },
    fail: { from: ["intended"], to: "failed" },
    deny: { from: ["intended"], to: "not_done" },
  },
};

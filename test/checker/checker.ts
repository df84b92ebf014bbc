import type { Evidence } from "./evidence.ts";
import { type Invariant, type Judgement, judge } from "./invariant.ts";
import { CONSERVATION } from "./invariants/conservation.ts";
import { FAIRNESS } from "./invariants/fairness.ts";
import { LIVENESS } from "./invariants/liveness.ts";
import { OUTCOMES } from "./invariants/outcomes.ts";
import { STATE_MACHINE } from "./invariants/state-machine.ts";
import { STREAMS } from "./invariants/streams.ts";

export const INVARIANTS: readonly Invariant[] = [
  ...CONSERVATION,
  ...OUTCOMES,
  ...STATE_MACHINE,
  ...LIVENESS,
  ...FAIRNESS,
  ...STREAMS,
];

/** Judges a system by what is left of it: its database, and the logs of those who dealt with it. */
export function checkAll(evidence: Evidence): readonly Judgement[] {
  return judge(evidence, INVARIANTS);
}

import type { Evidence } from "./evidence.ts";
import { type Invariant, type Judgement, judge } from "./invariant.ts";
import { ANNOUNCED } from "./invariants/announced.ts";
import { AT_WORK } from "./invariants/at-work.ts";
import { CALLED_OFF } from "./invariants/called-off.ts";
import { CANCELLATIONS } from "./invariants/cancellations.ts";
import { CONSERVATION } from "./invariants/conservation.ts";
import { DECISIONS } from "./invariants/decisions.ts";
import { EFFECTS } from "./invariants/effects.ts";
import { FAIRNESS } from "./invariants/fairness.ts";
import { HEALTH } from "./invariants/health.ts";
import { LIMITS } from "./invariants/limits.ts";
import { LIVENESS } from "./invariants/liveness.ts";
import { OUTCOMES } from "./invariants/outcomes.ts";
import { PARTS } from "./invariants/parts.ts";
import { STATE_MACHINE } from "./invariants/state-machine.ts";
import { STEP_STATES } from "./invariants/steps.ts";
import { STREAMS } from "./invariants/streams.ts";

/** What the language promises; `language.test.ts` shows that each of them can break. */
export const LANGUAGE: readonly Invariant[] = [...STEP_STATES, ...PARTS];

export const INVARIANTS: readonly Invariant[] = [
  ...CONSERVATION,
  ...OUTCOMES,
  ...STATE_MACHINE,
  ...LIVENESS,
  ...HEALTH,
  ...DECISIONS,
  ...EFFECTS,
  ...FAIRNESS,
  ...LIMITS,
  ...STREAMS,
  ...CANCELLATIONS,
  ...AT_WORK,
  ...ANNOUNCED,
  ...CALLED_OFF,
  ...LANGUAGE,
];

/** Judges a system by what is left of it: its database, and the logs of those who dealt with it. */
export function checkAll(evidence: Evidence): readonly Judgement[] {
  return judge(evidence, INVARIANTS);
}

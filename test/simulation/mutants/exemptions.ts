import { AGENTS_EQUIVALENT, AGENTS_GUARDED, AGENTS_UNSEEN } from "./exemptions/agents.ts";
import { EQUIVALENT } from "./exemptions/equivalent.ts";
import type { ExemptGroup } from "./exemptions/exempt-group.ts";
import { GUARDED } from "./exemptions/guarded.ts";
import { UNSEEN } from "./exemptions/unseen.ts";
import { UNSEEN_TWO } from "./exemptions/unseen-two.ts";

export interface Exemption {
  readonly kind: "equivalent" | "guarded" | "unseen";
  readonly reason: string;
}

/** Predicates whose absence the simulator cannot see, by the generated mutant's id. */
export const EXEMPTIONS: ReadonlyMap<string, Exemption> = new Map([
  ...listed("equivalent", [...EQUIVALENT, ...AGENTS_EQUIVALENT]),
  ...listed("guarded", [...GUARDED, ...AGENTS_GUARDED]),
  ...listed("unseen", [...UNSEEN, ...UNSEEN_TWO, ...AGENTS_UNSEEN]),
]);

function listed(kind: Exemption["kind"], groups: readonly ExemptGroup[]): [string, Exemption][] {
  return groups.flatMap(({ reason, ids }) => ids.map((id): [string, Exemption] => [id, { kind, reason }]));
}

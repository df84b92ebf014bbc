import { EQUIVALENT } from "./exemptions/equivalent.ts";
import type { ExemptGroup } from "./exemptions/exempt-group.ts";
import { GUARDED } from "./exemptions/guarded.ts";
import { UNSEEN } from "./exemptions/unseen.ts";

export interface Exemption {
  readonly kind: "equivalent" | "guarded" | "unseen";
  readonly reason: string;
}

/** Predicates whose absence neither the specification nor the simulator sees, by the generated mutant's id. */
export const EXEMPTIONS: ReadonlyMap<string, Exemption> = new Map([
  ...listed("equivalent", EQUIVALENT),
  ...listed("guarded", GUARDED),
  ...listed("unseen", UNSEEN),
]);

function listed(kind: Exemption["kind"], groups: readonly ExemptGroup[]): [string, Exemption][] {
  return groups.flatMap(({ reason, ids }) => ids.map((id): [string, Exemption] => [id, { kind, reason }]));
}

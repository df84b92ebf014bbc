import type { Judgement } from "./invariant.ts";

/** Findings of all invariants, with their numbers. */
export function findingsOf({ judgements }: { readonly judgements: readonly Judgement[] }): string[] {
  return judgements.flatMap(({ number, findings }) => findings.map((finding) => `${number}: ${finding}`));
}

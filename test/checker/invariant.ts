import type { Evidence } from "./evidence.ts";

/** Something that must hold whatever has happened. */
export interface Invariant {
  /** Its number in the list of invariants, or the promise (`R5`) it restates. */
  readonly number: string;
  readonly name: string;
  /** What must be known to judge it, beside the database. */
  readonly needs: readonly ("client" | "effects" | "streams" | "punctual")[];
  /** What breaks it, a sentence each; nothing when it holds. */
  readonly check: (evidence: Evidence) => Iterable<string>;
}

export interface Judgement {
  readonly number: string;
  readonly name: string;
  readonly isJudged: boolean;
  readonly findings: readonly string[];
}

/** Judges each invariant for which the evidence suffices. */
export function judge(evidence: Evidence, invariants: readonly Invariant[]): Judgement[] {
  return invariants.map(({ number, name, needs, check }) => {
    const isJudged = needs.every((need) => (need === "punctual" ? evidence.isPunctual : evidence[need] !== null));
    return { number, name, isJudged, findings: isJudged ? [...check(evidence)] : [] };
  });
}

/** Groups by a key, in order of first appearance. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

import type { Exemption } from "./exemptions.ts";

/** What came of one mutant. */
export interface Result {
  readonly kind: "named" | "wanted" | "generated";
  readonly name: string;
  readonly killed: { readonly seed: number; readonly words: string } | null;
  /** How many seeds could have killed it. */
  readonly seeds: number;
}

export interface Expected {
  readonly exemptions: ReadonlyMap<string, Exemption>;
  /** Whether every generated mutant was tried. */
  readonly isWhole: boolean;
}

/** Prints the table and, last, the verdict; whether it is a good one. */
export function report(results: readonly Result[], expected: Expected): boolean {
  const findings = findingsOf(results, expected);
  for (const kind of ["named", "wanted", "generated"] as const) {
    const own = results.filter((result) => result.kind === kind);
    if (own.length > 0) console.log(`${kind.padEnd(10)}${countsOf(own, expected)}`);
  }
  for (const finding of findings) console.log(finding);
  console.log(findings.length === 0 ? "The simulator sees them all." : `${findings.length} findings.`);
  return findings.length === 0;
}

function countsOf(results: readonly Result[], { exemptions }: Expected): string {
  const killed = results.filter((result) => result.killed !== null).length;
  const survivors = results.filter((result) => result.killed === null);
  const kinds = Map.groupBy(survivors, ({ name }) => exemptions.get(name)?.kind ?? "without a reason");
  const parts = [...kinds].map(([kind, { length }]) => `${length} ${kind}`);
  return `${results.length} mutants: ${killed} killed, ${survivors.length} survive${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
}

/** What is not as it should be, in a line each. */
export function findingsOf(results: readonly Result[], { exemptions, isWhole }: Expected): string[] {
  const mustDie = results.filter(({ kind }) => kind !== "wanted");
  const survivors = mustDie.filter(({ killed, name }) => killed === null && !exemptions.has(name));
  const seen = results.filter(({ kind, killed }) => kind === "wanted" && killed !== null);
  const needless = results.filter(({ killed, name }) => killed !== null && exemptions.has(name));
  const names = new Set(results.map(({ name }) => name));
  const unknown = isWhole ? [...exemptions.keys()].filter((name) => !names.has(name)) : [];
  return [
    ...survivors.map(({ name }) => `survives: ${name}`),
    ...seen.map(({ name }) => `is only wanted but was killed, so it belongs to the named: ${name}`),
    ...needless.map(({ name }) => `is exempt but was killed: ${name}`),
    ...unknown.map((name) => `is exempt but does not exist: ${name}`),
  ];
}

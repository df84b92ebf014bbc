import type { Exemption } from "./exemptions.ts";

/** Who saw a mutant, and by what. */
export interface Kill {
  readonly by: "specification" | "simulator";
  readonly words: string;
}

/** What came of one mutant. */
export interface Result {
  readonly kind: "named" | "wanted" | "generated";
  readonly name: string;
  readonly killed: Kill | null;
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
  for (const name of seenByLuck(results, expected)) console.log(`was unseen, and a seed saw it: ${name}`);
  for (const finding of findings) console.log(finding);
  console.log(findings.length === 0 ? "All are seen, or have a reason." : `${findings.length} findings.`);
  return findings.length === 0;
}

function countsOf(results: readonly Result[], { exemptions }: Expected): string {
  const killed = Map.groupBy(results, (result) => result.killed?.by);
  const by = (["specification", "simulator"] as const).map((each) => `${killed.get(each)?.length ?? 0} by the ${each}`);
  const survivors = killed.get(undefined) ?? [];
  const kinds = Map.groupBy(survivors, ({ name }) => exemptions.get(name)?.kind ?? "without a reason");
  const parts = [...kinds].map(([kind, { length }]) => `${length} ${kind}`);
  const reasons = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  return `${results.length} mutants: killed ${by.join(", ")}; ${survivors.length} survive${reasons}`;
}

/** Exempt ones that a change of the world has brought to light, as another may hide them again. */
function seenByLuck(results: readonly Result[], { exemptions }: Expected): string[] {
  const lucky = results.filter(
    ({ name, killed }) => killed?.by === "simulator" && exemptions.get(name)?.kind === "unseen",
  );
  return lucky.map(({ name }) => name);
}

/** What is not as it should be, in a line each. */
export function findingsOf(results: readonly Result[], expected: Expected): string[] {
  const { exemptions, isWhole } = expected;
  const mustDie = results.filter(({ kind }) => kind !== "wanted");
  const survivors = mustDie.filter(({ killed, name }) => killed === null && !exemptions.has(name));
  const seen = results.filter(({ kind, killed }) => kind === "wanted" && killed !== null);
  const lucky = new Set(seenByLuck(results, expected));
  const needless = results.filter(({ killed, name }) => killed !== null && exemptions.has(name) && !lucky.has(name));
  const names = new Set(results.map(({ name }) => name));
  const unknown = isWhole ? [...exemptions.keys()].filter((name) => !names.has(name)) : [];
  return [
    ...survivors.map(({ name }) => `survives: ${name}`),
    ...seen.map(({ name }) => `is only wanted but was killed, so it belongs to the named: ${name}`),
    ...needless.map(({ name }) => `is exempt but was killed: ${name}`),
    ...unknown.map((name) => `is exempt but does not exist: ${name}`),
  ];
}

import { readFileSync } from "node:fs";
import { productFile } from "../../planting/planting.ts";
import { applyEdits, type Edit } from "./edit.ts";
import type { GeneratedMutant } from "./generator.ts";

/**
 * Sources that tell of each predicate when its value is one that makes a difference. A run in which it never is, is the
 * very same run without the predicate, and need not be made.
 * @returns the sources by file; a place `i` calls `globalThis.opspawnProbe(i, value)`, `i` being the mutant's index
 */
export function probedSources(mutants: readonly GeneratedMutant[]): Map<string, string> {
  const edits = new Map<string, Edit[]>();
  // At one place the outer call comes first.
  const numbered = mutants.flatMap(({ file, probe }, index) =>
    probe === undefined ? [] : [{ file, index, ...probe }],
  );
  for (const { file, index, start, end } of numbered.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const own = edits.get(file) ?? [];
    own.push({ start, end: start, text: `globalThis.opspawnProbe(${index}, ` }, { start: end, end, text: ")" });
    edits.set(file, own);
  }
  return new Map([...edits].map(([file, list]) => [file, applyEdits(readFileSync(productFile(file), "utf8"), list)]));
}

import { readFileSync } from "node:fs";
import { productFile } from "../../planting/planting.ts";
import { applyEdits, type Edit } from "./edit.ts";
import type { GeneratedMutant } from "./generator.ts";

interface Place {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly before: string;
  readonly after: string;
}

/**
 * Sources in which each predicate has a number, the mutant's index. One of JavaScript passes its value through
 * `globalThis.opspawnPredicate(index, value)`, which may look at it, or give another one. A condition of a statement
 * stands between two comments by which `withoutConjunct` finds it.
 * @returns the sources by file
 */
export function instrumentedSources(mutants: readonly GeneratedMutant[]): Map<string, string> {
  const edits = new Map<string, Edit[]>();
  // At one place the outer one comes first.
  const places = mutants.flatMap(placesOf).sort((a, b) => a.start - b.start || b.end - a.end);
  for (const { file, start, end, before, after } of places) {
    const own = edits.get(file) ?? [];
    own.push({ start, end: start, text: before }, { start: end, end, text: after });
    edits.set(file, own);
  }
  return new Map([...edits].map(([file, list]) => [file, applyEdits(readFileSync(productFile(file), "utf8"), list)]));
}

function placesOf({ file, probe, edits }: GeneratedMutant, index: number): Place[] {
  if (probe !== undefined) {
    return [{ file, ...probe, before: `globalThis.opspawnPredicate(${index}, `, after: ")" }];
  }
  return edits.map(({ start, end }) => ({ file, start, end, before: open(index), after: close(index) }));
}

const open = (index: number): string => `/*${index}(*/`;
const close = (index: number): string => `/*)${index}*/`;

/** The numbers of the conditions in a statement. */
export function conjunctsIn(sql: string): number[] {
  return [...sql.matchAll(/\/\*(\d+)\(\*\//g)].map(([, index]) => Number(index));
}

/** The statement with one of its conditions made true; its parameters stay where they are. */
export function withoutConjunct(sql: string, index: number): string {
  return sql.replaceAll(open(index), `${open(index)}((`).replaceAll(close(index), `) or true)${close(index)}`);
}

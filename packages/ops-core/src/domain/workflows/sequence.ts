import type { Issues, Loc } from "../issues.ts";
import type { StepDefinition } from "./step-definition.ts";

/** Sorts steps so that dependencies come first; names a cycle for each knot that cannot be sorted. */
export function sequenceOf(
  steps: readonly StepDefinition[],
  dependsOn: readonly (readonly number[])[],
  reserved: readonly ({ readonly loc: Loc } | null)[],
  issues: Issues,
): number[] | null {
  const dependents = dependentsOf(dependsOn);
  const remaining = dependsOn.map((list) => list.length);
  const sequence = remaining.flatMap((count, position) => (count === 0 ? [position] : []));
  for (const position of sequence) {
    for (const dependent of dependents[position] ?? []) {
      remaining[dependent] = (remaining[dependent] ?? 0) - 1;
      if (remaining[dependent] === 0) sequence.push(dependent);
    }
  }
  if (sequence.length === steps.length) return sequence;
  for (const cycle of cyclesAmong(dependsOn, remaining)) {
    const ids = cycle.map((position) => steps[position]?.id ?? "");
    const at = cycle[0] ?? 0;
    const loc = reserved[at]?.loc ?? [...(steps[at]?.loc ?? []), "dependsOn"];
    issues.add(loc, "cycle", `the tasks wait for each other in a cycle: ${cycleText(ids)}`);
  }
  return null;
}

/** Every step that could not be sorted waits for another such step; following one of them each ends in a cycle. */
function cyclesAmong(dependsOn: readonly (readonly number[])[], remaining: readonly number[]): number[][] {
  const cycles: number[][] = [];
  const visited = new Set<number>();
  for (const [start, count] of remaining.entries()) {
    if (count === 0) continue;
    const path: number[] = [];
    let at = start;
    while (!visited.has(at)) {
      visited.add(at);
      path.push(at);
      at = dependsOn[at]?.find((position) => (remaining[position] ?? 0) > 0) ?? at;
    }
    const entry = path.indexOf(at);
    if (entry >= 0) cycles.push([...path.slice(entry), at]);
  }
  return cycles;
}

/** Who waits for each step. */
export function dependentsOf(dependsOn: readonly (readonly number[])[]): number[][] {
  const dependents: number[][] = dependsOn.map(() => []);
  for (const [position, list] of dependsOn.entries()) {
    for (const dependency of list) dependents[dependency]?.push(position);
  }
  return dependents;
}

/** Steps named in the middle of a long cycle add nothing. */
const NAMED_STEPS_MAX = 10;

export function cycleText(ids: readonly string[]): string {
  if (ids.length <= NAMED_STEPS_MAX) return ids.join(" -> ");
  return [...ids.slice(0, NAMED_STEPS_MAX - 2), "...", ids.at(-1)].join(" -> ");
}

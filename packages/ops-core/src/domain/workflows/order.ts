import type { Issues } from "../issues.ts";
import { suggestion } from "../suggestion.ts";
import { DEPENDENCIES_MAX } from "./limits.ts";
import type { WorkflowPlan } from "./plan.ts";
import type { Mode, StepDefinition } from "./step-definition.ts";

/** The steps that run, in listed order, and what each waits for. */
export interface Order {
  readonly kind: WorkflowPlan["order"];
  readonly steps: readonly StepDefinition[];
  /** Per step, the positions (in `steps`) of those that must have ended first. */
  readonly dependsOn: readonly (readonly number[])[];
  /** Positions so that each step comes after all it waits for; null when a cycle makes that impossible. */
  readonly sequence: readonly number[] | null;
}

/** `dependsOn` anywhere makes a graph; else a `nextTaskId` anywhere makes a chain from the first task; else list order. */
export function orderSteps(steps: readonly StepDefinition[], mode: Mode, issues: Issues, warnings: Issues): Order {
  const positions = new Map<string, number>();
  for (const [position, step] of steps.entries()) {
    if (positions.has(step.id)) {
      issues.add([...step.loc, "taskId"], "duplicate", `another task has the id "${step.id}" already`);
    } else positions.set(step.id, position);
  }
  const graph = steps.some((step) => step.dependsOn !== undefined);
  const linked = steps.find((step) => step.nextTaskId !== undefined);
  if (graph && linked !== undefined) {
    const msg = "`nextTaskId` and `dependsOn` in one definition; write the order one way";
    issues.add([...linked.loc, "nextTaskId"], "conflict", msg);
  }
  if (graph) return graphOrder(steps, positions, issues, warnings);
  if (linked !== undefined) return chainOrder(steps, positions, issues, mode === "strict" ? issues : warnings);
  const sequence = steps.map((_, position) => position);
  return { kind: "list", steps, dependsOn: sequence.map((at) => (at === 0 ? [] : [at - 1])), sequence };
}

type Positions = ReadonlyMap<string, number>;

function graphOrder(steps: readonly StepDefinition[], positions: Positions, issues: Issues, warnings: Issues): Order {
  let dependencies = 0;
  const dependsOn = steps.map((step, at) => {
    if (step.dependsOn === undefined && at > 0) {
      const msg = `starts at once, although it is written after "${steps[at - 1]?.id}"; write \`dependsOn: []\` if so meant`;
      warnings.add(step.loc, "starts_at_once", msg);
    }
    dependencies += step.dependsOn?.length ?? 0;
    return (step.dependsOn ?? []).flatMap((name, entry) => {
      const position = positions.get(name);
      if (position !== undefined) return [position];
      unknownTask(step, ["dependsOn", entry], name, positions, issues);
      return [];
    });
  });
  if (dependencies > DEPENDENCIES_MAX) {
    issues.add(["tasks"], "too_large", `more than ${DEPENDENCIES_MAX} names in all dependsOn lists together`);
  }
  return { kind: "graph", steps, dependsOn, sequence: sequenceOf(steps, dependsOn, issues) };
}

/** Follows `nextTaskId` from the first task. What it never reaches is left out: it must not run. */
function chainOrder(steps: readonly StepDefinition[], positions: Positions, issues: Issues, unreached: Issues): Order {
  const { path, cycle } = followChain(steps, positions, issues);
  const reached = new Set(path);
  for (const [position, step] of steps.entries()) {
    if (step.nextTaskId !== undefined && !positions.has(step.nextTaskId)) {
      unknownTask(step, ["nextTaskId"], step.nextTaskId, positions, issues);
    }
    if (reached.has(position)) continue;
    const msg = `"${step.id}" never runs: no nextTaskId leads to it from "${steps[0]?.id}"`;
    unreached.add(step.loc, "unreachable", msg);
  }
  return reachedOrder(steps, path, cycle);
}

function followChain(
  steps: readonly StepDefinition[],
  positions: Positions,
  issues: Issues,
): { path: number[]; cycle: boolean } {
  const path: number[] = [];
  let step = steps[0];
  let at = 0;
  while (step !== undefined) {
    path.push(at);
    const next = step.nextTaskId === undefined ? undefined : positions.get(step.nextTaskId);
    if (next === undefined) break;
    const entry = path.indexOf(next);
    if (entry >= 0) {
      const ids = [...path.slice(entry), next].map((position) => steps[position]?.id ?? "");
      issues.add([...step.loc, "nextTaskId"], "cycle", `the tasks form a cycle: ${cycleText(ids)}`);
      return { path, cycle: true };
    }
    at = next;
    step = steps[next];
  }
  return { path, cycle: false };
}

function reachedOrder(steps: readonly StepDefinition[], path: readonly number[], cycle: boolean): Order {
  const listed = [...path].sort((a, b) => a - b);
  const place = new Map(listed.map((position, index) => [position, index]));
  const sequence = path.map((position) => place.get(position) ?? 0);
  const dependsOn: number[][] = listed.map(() => []);
  for (const [turn, index] of sequence.entries()) {
    const before = sequence[turn - 1];
    if (before !== undefined) dependsOn[index] = [before];
  }
  const reached = listed.flatMap((position) => steps[position] ?? []);
  return { kind: "chain", steps: reached, dependsOn, sequence: cycle ? null : sequence };
}

/** Sorts steps so that dependencies come first; names a cycle for each knot that cannot be sorted. */
function sequenceOf(
  steps: readonly StepDefinition[],
  dependsOn: readonly (readonly number[])[],
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
    const loc = steps[cycle[0] ?? 0]?.loc ?? [];
    issues.add([...loc, "dependsOn"], "cycle", `the tasks wait for each other in a cycle: ${cycleText(ids)}`);
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

function cycleText(ids: readonly string[]): string {
  if (ids.length <= NAMED_STEPS_MAX) return ids.join(" -> ");
  return [...ids.slice(0, NAMED_STEPS_MAX - 2), "...", ids.at(-1)].join(" -> ");
}

function unknownTask(
  step: StepDefinition,
  field: readonly (string | number)[],
  name: string,
  positions: Positions,
  issues: Issues,
): void {
  issues.add(
    [...step.loc, ...field],
    "unknown_step",
    () => `no task has the id "${name}"${suggestion(name, positions.keys())}`,
  );
}

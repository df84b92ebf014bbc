import type { Issues } from "../issues.ts";
import { chainOrder } from "./chain-order.ts";
import { DEPENDENCIES_MAX } from "./limits.ts";
import { type Listed, unknownTask } from "./listed-steps.ts";
import type { Reserve, WorkflowPlan } from "./plan.ts";
import { placeReserves } from "./reserve.ts";
import { sequenceOf } from "./sequence.ts";
import type { Mode, StepDefinition } from "./step-definition.ts";

/** The steps that run, in listed order, and what each waits for. */
export interface Order {
  readonly kind: WorkflowPlan["order"];
  readonly steps: readonly StepDefinition[];
  /** Per step, the positions (in `steps`) of those that must have ended first; in reserve, of the one it is kept for. */
  readonly dependsOn: readonly (readonly number[])[];
  /** Per step, whom it is kept in reserve for. */
  readonly reserveOf: readonly (Reserve | null)[];
  /** Positions so that each step comes after all it waits for; null when a cycle makes that impossible. */
  readonly sequence: readonly number[] | null;
}

/**
 * `dependsOn` anywhere makes a graph; else a `nextTaskId` anywhere makes a chain from the first task; else list order.
 * Steps in reserve stand outside of it: each waits for the one it is kept for.
 */
export function orderSteps(steps: readonly StepDefinition[], mode: Mode, issues: Issues, warnings: Issues): Order {
  const positions = new Map<string, number>();
  for (const [position, step] of steps.entries()) {
    if (positions.has(step.id)) {
      issues.add([...step.loc, "taskId"], "duplicate", `another task has the id "${step.id}" already`);
    } else positions.set(step.id, position);
  }
  const listed: Listed = { steps, positions, reserved: placeReserves(steps, positions, issues) };
  const ordinary = steps.filter((_, position) => listed.reserved[position] === null);
  const graph = ordinary.some((step) => step.dependsOn !== undefined);
  const linked = ordinary.find((step) => step.nextTaskId !== undefined);
  if (graph && linked !== undefined) {
    const msg = "`nextTaskId` and `dependsOn` in one definition; write the order one way";
    issues.add([...linked.loc, "nextTaskId"], "conflict", msg);
  }
  if (graph) return graphOrder(listed, issues, warnings);
  if (linked !== undefined) return chainOrder(listed, issues, mode === "strict" ? issues : warnings);
  return listOrder(listed, issues);
}

function listOrder({ steps, reserved }: Listed, issues: Issues): Order {
  let before: readonly number[] = [];
  const dependsOn = reserved.map((reserve, position) => {
    if (reserve !== null) return [reserve.step];
    const own = before;
    before = [position];
    return own;
  });
  return {
    kind: "list",
    steps,
    dependsOn,
    reserveOf: reserved,
    sequence: sequenceOf(steps, dependsOn, reserved, issues),
  };
}

function graphOrder(listed: Listed, issues: Issues, warnings: Issues): Order {
  const { steps, reserved } = listed;
  let dependencies = 0;
  const dependsOn = steps.map((step, at) => {
    const reserve = reserved[at];
    if (reserve !== undefined && reserve !== null) return [reserve.step];
    if (step.dependsOn === undefined && at > 0) {
      const msg = `starts at once, although it is written after "${steps[at - 1]?.id}"; write \`dependsOn: []\` if so meant`;
      warnings.add(step.loc, "starts_at_once", msg);
    }
    dependencies += step.dependsOn?.length ?? 0;
    return (step.dependsOn ?? []).flatMap((name, entry) => dependency(listed, step, name, entry, issues) ?? []);
  });
  if (dependencies > DEPENDENCIES_MAX) {
    issues.add(["tasks"], "too_large", `more than ${DEPENDENCIES_MAX} names in all dependsOn lists together`);
  }
  const sequence = sequenceOf(steps, dependsOn, reserved, issues);
  return { kind: "graph", steps, dependsOn, reserveOf: reserved, sequence };
}

/** The position of a step that another one waits for. */
function dependency(
  { steps, positions, reserved }: Listed,
  step: StepDefinition,
  name: string,
  entry: number,
  issues: Issues,
): number | undefined {
  const position = positions.get(name);
  if (position === undefined) {
    unknownTask(name, [...step.loc, "dependsOn", entry], positions, issues);
    return undefined;
  }
  const reserve = reserved[position];
  if (reserve?.role !== "fallback") return position;
  const owner = steps[reserve.step]?.id;
  const msg = `"${name}" only stands in reserve for "${owner}"; depend on "${owner}", whose result is the same`;
  issues.add([...step.loc, "dependsOn", entry], "conflict", msg);
  return undefined;
}

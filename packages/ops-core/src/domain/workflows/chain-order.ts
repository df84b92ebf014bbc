import type { Issues } from "../issues.ts";
import { type Listed, unknownTask } from "./listed-steps.ts";
import type { Order } from "./order.ts";
import { cycleText, sequenceOf } from "./sequence.ts";

/** Follows `nextTaskId` from the first task. What it never reaches is left out: it must not run. */
export function chainOrder(listed: Listed, issues: Issues, unreached: Issues): Order {
  const { steps, positions, reserved } = listed;
  const first = reserved.indexOf(null);
  const { path, cycle } = followChain(listed, first, issues);
  const reached = reachedFrom(path, reserved);
  for (const [position, step] of steps.entries()) {
    if (step.nextTaskId !== undefined && !positions.has(step.nextTaskId)) {
      unknownTask(step.nextTaskId, [...step.loc, "nextTaskId"], positions, issues);
    }
    if (reached.has(position)) continue;
    const owner = steps[reserved[position]?.step ?? -1]?.id;
    const why =
      owner === undefined ? `no nextTaskId leads to it from "${steps[first]?.id}"` : `neither does "${owner}"`;
    unreached.add(step.loc, "unreachable", `"${step.id}" never runs: ${why}`);
  }
  return reachedOrder(listed, path, reached, cycle, issues);
}

/** The steps of the path, and those in reserve for a step that is reached. */
function reachedFrom(path: readonly number[], reserved: Listed["reserved"]): ReadonlySet<number> {
  const reached = new Set(path);
  const kept = new Map<number, number[]>();
  for (const [position, reserve] of reserved.entries()) {
    if (reserve !== null) kept.set(reserve.step, [...(kept.get(reserve.step) ?? []), position]);
  }
  // A set that grows is walked to its new end.
  for (const position of reached) for (const each of kept.get(position) ?? []) reached.add(each);
  return reached;
}

function reachedOrder(
  { steps, reserved }: Listed,
  path: readonly number[],
  reached: ReadonlySet<number>,
  cycle: boolean,
  issues: Issues,
): Order {
  const listed = [...reached].sort((a, b) => a - b);
  const place = new Map(listed.map((position, index) => [position, index]));
  const before = new Map(path.map((position, turn) => [position, path[turn - 1]]));
  const kept = listed.flatMap((position) => steps[position] ?? []);
  const reserveOf = listed.map((position) => {
    const reserve = reserved[position] ?? null;
    return reserve === null ? null : { ...reserve, step: place.get(reserve.step) ?? 0 };
  });
  const dependsOn = listed.map((position, index) => {
    const dependency = reserveOf[index]?.step ?? place.get(before.get(position) ?? -1);
    return dependency === undefined ? [] : [dependency];
  });
  const sequence = cycle ? null : sequenceOf(kept, dependsOn, reserveOf, issues);
  return { kind: "chain", steps: kept, dependsOn, reserveOf, sequence };
}

function followChain(
  { steps, positions, reserved }: Listed,
  first: number,
  issues: Issues,
): { path: number[]; cycle: boolean } {
  const path: number[] = [];
  let at = first;
  let step = steps[at];
  while (step !== undefined) {
    path.push(at);
    const next = step.nextTaskId === undefined ? undefined : positions.get(step.nextTaskId);
    if (next === undefined) break;
    const reserve = reserved[next];
    if (reserve !== undefined && reserve !== null) {
      const msg = `"${step.nextTaskId}" is kept in reserve for "${steps[reserve.step]?.id}", so no nextTaskId may lead to it`;
      issues.add([...step.loc, "nextTaskId"], "conflict", msg);
      break;
    }
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

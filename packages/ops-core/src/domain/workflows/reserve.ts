import type { Issues, Loc } from "../issues.ts";
import type { Fields } from "./fields.ts";
import { STEP_ID_LENGTH_MAX } from "./limits.ts";
import { type PlacedReserve, unknownTask } from "./listed-steps.ts";
import type { PlanStep, Reserve } from "./plan.ts";
import type { StepDefinition } from "./step-definition.ts";

/** A step that another one names to run when it fails, as written. */
export interface ReserveName {
  readonly role: Reserve["role"];
  readonly stepId: string;
  /** Where it is named, from the root of the document. */
  readonly loc: Loc;
}

/** Reads a field that names a step: its id, or `{ taskId: ID }`. */
export function readReserve(fields: Fields, name: string, role: Reserve["role"]): ReserveName[] {
  const value = fields.value(name);
  if (value === undefined) return [];
  if (typeof value === "string") return reserveName(fields, name, role);
  const inside = fields.inside(name, "{ taskId: notify }");
  if (inside === undefined) return [];
  inside.closed(["taskId"]);
  if (inside.value("taskId") === undefined) inside.refuse("taskId", "missing", "is required: the id of a task");
  return reserveName(inside, "taskId", role);
}

/** Reads the id of a step that is kept in reserve. */
export function reserveName(fields: Fields, name: string, role: Reserve["role"]): ReserveName[] {
  const stepId = fields.id(name, STEP_ID_LENGTH_MAX);
  return stepId === undefined ? [] : [{ role, stepId, loc: fields.at(name) }];
}

/**
 * Finds for each step the one it is kept in reserve for, or null. A step is in reserve for one role of one other, and its
 * place in the order is that: it names none of its own.
 */
export function placeReserves(
  steps: readonly StepDefinition[],
  positions: ReadonlyMap<string, number>,
  issues: Issues,
): (PlacedReserve | null)[] {
  const placed: (PlacedReserve | null)[] = steps.map(() => null);
  const named = steps.flatMap((step, owner) => step.reserveNames.map((name) => ({ ...name, owner })));
  for (const { role, stepId, loc, owner } of named) {
    const position = positions.get(stepId);
    const other = position === undefined ? null : (placed[position] ?? null);
    if (position === undefined) unknownTask(stepId, loc, positions, issues);
    else if (other === null) placed[position] = { step: owner, role, loc };
    else issues.add(loc, "duplicate", `"${stepId}" is kept in reserve for "${steps[other.step]?.id}" already`);
  }
  for (const [position, step] of steps.entries()) {
    const reserve = placed[position] ?? null;
    if (reserve !== null) refuseOwnOrder(step, steps[reserve.step]?.id ?? "", issues);
  }
  return placed;
}

function refuseOwnOrder(step: StepDefinition, owner: string, issues: Issues): void {
  for (const name of ["dependsOn", "nextTaskId"] as const) {
    if (step[name] === undefined) continue;
    issues.add(
      [...step.loc, name],
      "conflict",
      `"${step.id}" is kept in reserve for "${owner}", so it has no \`${name}\``,
    );
  }
}

/** For each step those that are kept in reserve for it. */
export function reservesOf(reserved: readonly (Reserve | null)[]): PlanStep["reserves"][] {
  const reserves = reserved.map(
    () => ({ fallback: null, rejected: null, expired: null }) as Writable<PlanStep["reserves"]>,
  );
  for (const [position, reserve] of reserved.entries()) {
    const owner = reserve === null ? undefined : reserves[reserve.step];
    if (reserve !== null && owner !== undefined) owner[reserve.role] = position;
  }
  return reserves;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

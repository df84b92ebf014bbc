import { isJsonObject } from "@opspawn/contract";
import type { Fields } from "./fields.ts";
import type { StepKind, StepTarget } from "./plan.ts";
import { type ReserveName, readReserve } from "./reserve.ts";
import { readTarget, TARGET_FIELDS } from "./target-definition.ts";

const FIELDS = ["taskId", ...TARGET_FIELDS];

export interface Fallback {
  /** An agent who takes over. */
  readonly target: StepTarget | null;
  /** A step that stands in. */
  readonly reserveNames: readonly ReserveName[];
}

/** Reads `fallback`: another agent for the same task, or a step that runs in this one's place. */
export function readFallback(step: Fields, kind: StepKind): Fallback {
  const value = step.value("fallback");
  const toStep = typeof value === "string" || (isJsonObject(value) && isOnlyStep(value));
  if (toStep) return { target: null, reserveNames: readReserve(step, "fallback", "fallback") };
  return { target: readOther(step, kind), reserveNames: [] };
}

function isOnlyStep(value: object): boolean {
  return "taskId" in value && !TARGET_FIELDS.some((name) => name in value);
}

function readOther(step: Fields, kind: StepKind): StepTarget | null {
  const fallback = step.inside("fallback", '{ agentCapability: "text.score" }');
  if (fallback === undefined) return null;
  fallback.closed(FIELDS);
  if (FIELDS.every((name) => fallback.value(name) === undefined)) {
    return step.refuse("fallback", "missing", `must name one of ${FIELDS.join(", ")}`) ?? null;
  }
  if (kind === "agent") return readTarget(fallback, FIELDS);
  return step.refuse("fallback", "conflict", `a ${kind} step can only fall back to a step: { taskId: other }`) ?? null;
}

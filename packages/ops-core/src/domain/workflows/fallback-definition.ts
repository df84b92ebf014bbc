import type { Fields } from "./fields.ts";
import type { StepKind, StepTarget } from "./plan.ts";
import { type ReserveName, reserveName } from "./reserve.ts";
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
  if (typeof step.value("fallback") === "string") return toStep(step, "fallback");
  const fallback = step.inside("fallback", '{ agentCapability: "text.score" }');
  if (fallback === undefined) return NONE;
  fallback.closed(FIELDS);
  const given = FIELDS.filter((name) => fallback.value(name) !== undefined);
  if (given.length === 0) {
    step.refuse("fallback", "missing", `must name one of ${FIELDS.join(", ")}`);
    return NONE;
  }
  if (given.length === 1 && given[0] === "taskId") return toStep(fallback, "taskId");
  if (kind === "agent") return { target: readTarget(fallback, FIELDS), reserveNames: [] };
  step.refuse("fallback", "conflict", `a ${kind} step can only fall back to a step: { taskId: other }`);
  return NONE;
}

const NONE: Fallback = { target: null, reserveNames: [] };

function toStep(fields: Fields, name: string): Fallback {
  return { target: null, reserveNames: reserveName(fields, name, "fallback") };
}

import type { Template } from "../expressions/template.ts";
import type { Fields } from "./fields.ts";
import { DEADLINE_MAX, DEADLINE_MIN, TARGET_LENGTH_MAX, TIMEOUT_MAX, TIMEOUT_MIN } from "./limits.ts";
import { readParameters } from "./parameters-definition.ts";
import type { Compensation } from "./plan.ts";
import { readRetry } from "./retry-definition.ts";
import type { StepContext } from "./step-definition.ts";
import { readTarget, TARGET_FIELDS } from "./target-definition.ts";

const WORKERS = ["tool", ...TARGET_FIELDS];
const FIELDS = [...WORKERS, "parameters", "retry", "timeout", "deadline", "whenUnknown"];

export interface ReadCompensation {
  readonly compensation: Compensation;
  readonly template: Template;
}

/** Reads `compensate`: how a completed step is undone. */
export function readCompensation(step: Fields, context: StepContext): ReadCompensation | undefined {
  const fields = step.inside("compensate", "{ tool: slack.delete }");
  if (fields === undefined) return undefined;
  fields.closed(FIELDS);
  const tool = fields.literal("tool", TARGET_LENGTH_MAX) ?? null;
  const { parameters, template } = readParameters(fields, context);
  const compensation: Compensation = {
    kind: fields.value("tool") === undefined ? "agent" : "tool",
    target: readTarget(fields, WORKERS),
    tool,
    parameters,
    retry: readRetry(fields),
    timeout: fields.duration("timeout", { min: TIMEOUT_MIN, max: TIMEOUT_MAX }) ?? null,
    deadline: fields.duration("deadline", { min: DEADLINE_MIN, max: DEADLINE_MAX }) ?? null,
    whenUnknown: fields.choice("whenUnknown", ["run", "report"]) ?? "report",
  };
  return { compensation, template };
}

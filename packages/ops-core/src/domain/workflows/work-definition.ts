import { readTemplate } from "../expressions/template.ts";
import { readApproval } from "./approval-definition.ts";
import type { Fields } from "./fields.ts";
import { TARGET_LENGTH_MAX, VERSION_LENGTH_MAX, WORKFLOW_ID_LENGTH_MAX } from "./limits.ts";
import { readParameters } from "./parameters-definition.ts";
import type { StepKind } from "./plan.ts";
import type { StepContext } from "./step-definition.ts";
import { readTarget } from "./target-definition.ts";
import { readWait } from "./wait-definition.ts";
import { NOTHING, type Work } from "./work.ts";

type ReadWork = (step: Fields, context: StepContext, isFirst: boolean) => Work;

const READERS: Readonly<Record<StepKind, ReadWork>> = {
  agent: (step, context, isFirst) => ({ ...readGiven(step, context, isFirst), target: readTarget(step) }),
  tool: (step, context, isFirst) => ({
    ...readGiven(step, context, isFirst),
    tool: step.literal("tool", TARGET_LENGTH_MAX) ?? "",
  }),
  workflow: readChild,
  approval: readApproval,
  wait: readWait,
};

/**
 * Reads what a step of a kind does.
 * @param isFirst whether it stands first in the list
 */
export function readWork(kind: StepKind, step: Fields, context: StepContext, isFirst: boolean): Work {
  return READERS[kind](step, context, isFirst);
}

/** What an agent or a tool is given. */
function readGiven(step: Fields, context: StepContext, isFirst: boolean): Work {
  // The originals refuse this one null, at the trigger; anywhere else they never look.
  if (isFirst && context.mode === "original" && step.object.parameters === null) {
    step.refuse("parameters", "wrong_type", "Invalid task data: must be an object, not null");
  }
  return { ...NOTHING, ...readParameters(step, context), parametersAt: ["parameters"] };
}

function readChild(step: Fields, { issues, allowance }: StepContext): Work {
  const child = step.inside("workflow", '{ id: archive, input: { url: "${{ input.url }}" } }');
  if (child === undefined) return NOTHING;
  child.closed(["id", "version", "input"]);
  if (child.value("id") === undefined) child.refuse("id", "missing", "is required: the workflow to start");
  const input = child.value("input") ?? null;
  return {
    ...NOTHING,
    workflow: {
      id: child.literal("id", WORKFLOW_ID_LENGTH_MAX) ?? "",
      version: child.literal("version", VERSION_LENGTH_MAX) ?? null,
    },
    parameters: input,
    parametersAt: ["workflow", "input"],
    template: readTemplate(input, child.at("input"), issues, allowance),
  };
}

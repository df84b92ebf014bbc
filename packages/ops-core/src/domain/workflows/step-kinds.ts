import type { Fields } from "./fields.ts";
import type { StepKind } from "./plan.ts";
import { onlyOne, TARGET_FIELDS } from "./target-definition.ts";

/** The fields that say what a step does when it is no task for an agent. */
export const KIND_FIELDS = ["tool", "workflow", "approval", "wait"] as const;

/** Fields that say something only about tasks, or only about steps that others carry out. */
const OF_TASKS = [...TARGET_FIELDS, "parameters", "retry", "timeout", "priority", "rateLimit", "input"];
const OF_WORK = ["deadline", "fallback", "forEach", "concurrency", "onItemError", "repeat", "compensate", "output"];

/** What a step of each kind cannot have. */
export const REFUSED_FIELDS: Readonly<Record<StepKind, readonly string[]>> = {
  agent: [],
  tool: TARGET_FIELDS,
  workflow: OF_TASKS,
  approval: [...OF_TASKS, ...OF_WORK],
  wait: [...OF_TASKS, ...OF_WORK],
};

/** What a step does, and its fields without those that such a step cannot have: these are refused. */
export function readKind(step: Fields): { readonly kind: StepKind; readonly fields: Fields } {
  onlyOne(step, KIND_FIELDS);
  const kind = KIND_FIELDS.find((name) => step.value(name) !== undefined) ?? "agent";
  const refused = REFUSED_FIELDS[kind].filter((name) => step.value(name) !== undefined);
  const article = kind === "approval" ? "an" : "a";
  for (const name of refused) step.refuse(name, "conflict", `${article} ${kind} step has no \`${name}\``);
  const others = KIND_FIELDS.filter((name) => name !== kind);
  return { kind, fields: step.without([...refused, ...others]) };
}

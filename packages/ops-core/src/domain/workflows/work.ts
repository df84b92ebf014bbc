import type { JsonValue } from "@opspawn/contract";
import type { Template } from "../expressions/template.ts";
import type { PlanStep } from "./plan.ts";
import type { ReserveName } from "./reserve.ts";

/** What a step does, read from the field that its kind is named after. */
export interface Work extends Pick<PlanStep, "tool" | "workflow" | "approval" | "wait" | "target"> {
  readonly parameters: JsonValue;
  readonly parametersAt: readonly string[];
  /** Of the parameters. */
  readonly template: Template;
  readonly reserveNames: readonly ReserveName[];
}

const NO_EXPRESSION: Template = { constant: true, references: [], root: { kind: "constant", value: null } };

export const NOTHING: Work = {
  tool: null,
  workflow: null,
  approval: null,
  wait: null,
  target: null,
  parameters: null,
  parametersAt: [],
  template: NO_EXPRESSION,
  reserveNames: [],
};

import { isJsonObject, type JsonValue } from "@opspawn/contract";
import type { Allowance } from "../expressions/allowance.ts";
import { readTemplate, type Template } from "../expressions/template.ts";
import type { Issues, Loc } from "../issues.ts";
import { Fields } from "./fields.ts";
import {
  DEADLINE_MAX,
  DEADLINE_MIN,
  DESCRIPTION_LENGTH_MAX,
  NAME_LENGTH_MAX,
  PRIORITY_MAX,
  PRIORITY_MIN,
  STEP_ID_LENGTH_MAX,
  TARGET_LENGTH_MAX,
  TIMEOUT_MAX,
  TIMEOUT_MIN,
} from "./limits.ts";
import type { PlanStep, StepTarget } from "./plan.ts";
import { readRetry } from "./retry-definition.ts";
import type { PatternAllowance } from "./schema.ts";
import { readStepSchema } from "./schema-definition.ts";
import { readOnFailure, refuseUnsupported, UNSUPPORTED_FIELDS } from "./unsupported.ts";

export type Mode = "original" | "strict";

const TARGET_FIELDS = ["agentId", "agentName", "agentCapability"] as const;
const STEP_FIELDS: readonly string[] = [
  "taskId",
  "name",
  "description",
  ...TARGET_FIELDS,
  "parameters",
  "input",
  "output",
  "dependsOn",
  "nextTaskId",
  "retry",
  "timeout",
  "deadline",
  "fallback",
  "onFailure",
  "priority",
];

/** One entry of `tasks`, read but not yet placed among the others. */
export interface StepDefinition extends Omit<PlanStep, "index" | "dependsOn" | "dependents" | "reads"> {
  readonly loc: Loc;
  /** As written; undefined when absent. */
  readonly dependsOn: readonly string[] | undefined;
  readonly nextTaskId: string | undefined;
  readonly template: Template;
}

/** What all steps of one definition share while they are read. */
export interface StepContext {
  readonly mode: Mode;
  readonly issues: Issues;
  readonly allowance: Allowance;
  readonly patterns: PatternAllowance;
}

/** Reads one entry of `tasks`; undefined when it has no usable id. */
export function readStep(task: JsonValue, position: number, context: StepContext): StepDefinition | undefined {
  const { issues, mode } = context;
  const loc = ["tasks", position];
  if (!isJsonObject(task)) {
    issues.add(loc, "wrong_type", "must be an object with at least a `taskId`");
    return undefined;
  }
  const fields = new Fields(task, loc, issues);
  refuseUnsupported(fields);
  if (mode === "strict") fields.closed([...STEP_FIELDS, ...UNSUPPORTED_FIELDS]);
  fields.text("description", DESCRIPTION_LENGTH_MAX);
  const id = fields.id("taskId", STEP_ID_LENGTH_MAX);
  if (fields.value("taskId") === undefined) {
    const prefix = mode === "original" ? "Invalid task data: " : "";
    fields.refuse("taskId", "missing", `${prefix}is required: every task needs an id`);
  }
  const parameters = readParameters(fields, position, mode);
  const template = readTemplate(parameters, fields.at("parameters"), issues, context.allowance);
  if (template.root.kind === "text") fields.refuse("parameters", "wrong_type", PARAMETERS_HINT);
  const step: StepDefinition = {
    id: id ?? "",
    loc,
    name: fields.text("name", NAME_LENGTH_MAX) ?? id ?? "",
    target: readTarget(fields),
    fallback: readFallback(fields),
    parameters,
    inputSchema: readStepSchema(fields, "input", context),
    outputSchema: readStepSchema(fields, "output", context),
    template,
    retry: readRetry(fields),
    timeout: fields.duration("timeout", { min: TIMEOUT_MIN, max: TIMEOUT_MAX }) ?? null,
    deadline: fields.duration("deadline", { min: DEADLINE_MIN, max: DEADLINE_MAX }) ?? null,
    onFailure: readOnFailure(fields) ?? null,
    priority: fields.whole("priority", { min: PRIORITY_MIN, max: PRIORITY_MAX }) ?? 0,
    dependsOn: fields.names("dependsOn"),
    nextTaskId: fields.id("nextTaskId", STEP_ID_LENGTH_MAX),
  };
  return id === undefined ? undefined : step;
}

const PARAMETERS_HINT = "must be an object, or one ${{ expression }} that yields an object";

/** An object, or one expression that yields an object. */
function readParameters(fields: Fields, position: number, mode: Mode): JsonValue {
  const value = fields.value("parameters");
  if (value === undefined) {
    // The originals refuse this one null, at the trigger; anywhere else they never look.
    const written = Object.hasOwn(fields.object, "parameters");
    if (written && position === 0 && mode === "original") {
      fields.refuse("parameters", "wrong_type", "Invalid task data: must be an object, not null");
    }
    return {};
  }
  if (isJsonObject(value) || (typeof value === "string" && /^\$\{\{.*\}\}$/s.test(value))) return value;
  fields.refuse("parameters", "wrong_type", PARAMETERS_HINT);
  return {};
}

function readTarget(fields: Fields): StepTarget | null {
  const given = TARGET_FIELDS.filter((name) => fields.value(name) !== undefined);
  const [first, second] = given;
  if (second !== undefined) {
    fields.refuse(second, "conflict", `only one of ${TARGET_FIELDS.join(", ")} may be given, and ${first} is`);
  }
  const [agentId, agentName, capability] = TARGET_FIELDS.map((name) => fields.id(name, TARGET_LENGTH_MAX));
  if (agentId !== undefined) return { kind: "agent", agentId };
  if (agentName !== undefined) return { kind: "agentName", agentName };
  return capability === undefined ? null : { kind: "capability", capability };
}

function readFallback(step: Fields): StepTarget | null {
  const value = step.value("fallback");
  const toStep = typeof value === "string" || (isJsonObject(value) && ("taskId" in value || "step" in value));
  if (toStep) {
    const hint = "name an agentId, agentName or agentCapability";
    return step.refuse("fallback", "not_supported", `fallback to a step is not supported yet; ${hint}`) ?? null;
  }
  const fallback = step.inside("fallback", '{ agentCapability: "text.score" }');
  if (fallback === undefined) return null;
  fallback.closed(TARGET_FIELDS);
  if (TARGET_FIELDS.some((name) => fallback.value(name) !== undefined)) return readTarget(fallback);
  return step.refuse("fallback", "missing", `must name one of ${TARGET_FIELDS.join(", ")}`) ?? null;
}

import { type Issue, isJsonNumber, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import { Allowance } from "../expressions/allowance.ts";
import { hasExpression } from "../expressions/segments.ts";
import { readTemplate } from "../expressions/template.ts";
import { Issues } from "../issues.ts";
import { keepOutput } from "./data.ts";
import { checkDocument } from "./document-check.ts";
import { Fields } from "./fields.ts";
import { NO_LIMITS, readWorkflowLimits } from "./limit-definition.ts";
import {
  DEADLINE_MAX,
  DEADLINE_MIN,
  DESCRIPTION_LENGTH_MAX,
  NAME_LENGTH_MAX,
  STEPS_MAX,
  VERSION_LENGTH_MAX,
  WORKFLOW_ID_LENGTH_MAX,
} from "./limits.ts";
import { refuseMisplaced } from "./misplaced.ts";
import { orderSteps } from "./order.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";
import { planSteps } from "./plan-steps.ts";
import { checkReferences } from "./references.ts";
import { PatternAllowance } from "./schema.ts";
import { readSchema, schemaIn } from "./schema-definition.ts";
import { type Mode, readOnFailure, readStep, type StepContext, type StepDefinition } from "./step-definition.ts";
import { warnAbout } from "./warnings.ts";

const WORKFLOW_FIELDS = [
  "$schema",
  "id",
  "name",
  "description",
  "version",
  "input",
  "tasks",
  "output",
  "outputSchema",
  "onFailure",
  "deadline",
  "concurrency",
  "rateLimit",
];
const DEFAULT_VERSION = "1.0";

export interface CompileOptions {
  /**
   * `original`: the originals' documents stay valid, so unknown fields are ignored, an empty list of tasks is allowed,
   * `name` is required, and an unreachable task is a warning. `strict`: all of these the other way.
   */
  readonly mode: Mode;
}

export interface CompiledWorkflow {
  readonly plan: WorkflowPlan;
  /** Legal, but probably not what was meant. */
  readonly warnings: readonly Issue[];
}

/**
 * Checks a definition whole and turns it into what the engine runs.
 * @throws OpspawnError `workflow_invalid` with every issue, each at its path in the document
 */
export function compileWorkflow(document: JsonObject, options: CompileOptions): CompiledWorkflow {
  checkDocument(document);
  const issues = new Issues();
  const warnings = new Issues();
  const general: StepContext = {
    mode: options.mode,
    issues,
    allowance: new Allowance(),
    patterns: new PatternAllowance(),
    limits: NO_LIMITS,
  };
  const fields = new Fields(document, [], issues);
  const header = readHeader(fields, general);
  const context: StepContext = { ...general, limits: readWorkflowLimits(fields, general) };
  const steps = readSteps(fields, context);
  const output = fields.value("output");
  const outputTemplate = output === undefined ? undefined : readTemplate(output, ["output"], issues, context.allowance);
  const order = orderSteps(steps, options.mode, issues, warnings);
  checkReferences(order, steps, { output: outputTemplate?.references ?? [], limits: context.limits }, issues);
  throwIfAny(issues);
  const { hasInput, ...rest } = header;
  const values = [...steps.flatMap(({ parameters, limits }) => [parameters, keysOf(limits)]), output ?? null];
  const expressions = hasInput || steps.some(isBeyondOriginals) || hasExpressions(values);
  const plan: WorkflowPlan = {
    ...rest,
    ...planSteps(order),
    output,
    data: expressions ? "expressions" : "original",
  };
  warnAbout(plan, order, warnings);
  if (outputTemplate !== undefined) keepOutput(plan, outputTemplate);
  return { plan, warnings: warnings.list };
}

function throwIfAny(issues: Issues): void {
  if (!issues.empty) throw new OpspawnError("workflow_invalid", issues.summary, { issues: issues.list });
}

type Header = Pick<
  WorkflowPlan,
  "id" | "name" | "version" | "description" | "inputSchema" | "outputSchema" | "onFailure" | "deadline"
> & {
  readonly hasInput: boolean;
};

function readHeader(fields: Fields, { mode, patterns }: StepContext): Header {
  const misplaced = refuseMisplaced(fields, "workflow");
  if (mode === "strict") fields.closed([...WORKFLOW_FIELDS, ...misplaced]);
  for (const name of mode === "original" ? ["id", "name"] : ["id"]) {
    if (fields.value(name) === undefined) fields.refuse(name, "missing", "is required");
  }
  // Where editors of JSON look for the schema; it says nothing to us.
  if (mode === "strict") fields.text("$schema", NAME_LENGTH_MAX);
  const id = fields.id("id", WORKFLOW_ID_LENGTH_MAX) ?? "";
  return {
    id,
    name: fields.text("name", NAME_LENGTH_MAX) ?? id,
    version: readVersion(fields),
    description: fields.text("description", DESCRIPTION_LENGTH_MAX) ?? null,
    inputSchema: readSchema(fields, "input", patterns),
    outputSchema: schemaIn(fields, "outputSchema", patterns),
    hasInput: fields.value("input") !== undefined,
    onFailure: readOnFailure(fields) ?? "fail",
    deadline: fields.duration("deadline", { min: DEADLINE_MIN, max: DEADLINE_MAX }) ?? null,
  };
}

function readVersion(fields: Fields): string {
  const value = fields.value("version");
  if (!isJsonNumber(value)) return fields.id("version", VERSION_LENGTH_MAX) ?? DEFAULT_VERSION;
  fields.refuse("version", "wrong_type", `must be a string; write it in quotes: version: "${JSON.stringify(value)}"`);
  return DEFAULT_VERSION;
}

function readSteps(fields: Fields, context: StepContext): StepDefinition[] {
  const tasks = fields.value("tasks");
  if (tasks === undefined) {
    fields.refuse("tasks", "missing", "is required: the list of tasks to run");
    return [];
  }
  if (!Array.isArray(tasks)) {
    fields.refuse("tasks", "wrong_type", "must be a list of tasks");
    return [];
  }
  if (tasks.length === 0 && context.mode === "strict") fields.refuse("tasks", "empty", "must have at least one task");
  if (tasks.length > STEPS_MAX) {
    fields.refuse("tasks", "too_large", `has ${tasks.length} tasks, at most ${STEPS_MAX} are allowed`);
    return [];
  }
  return tasks.flatMap((task, position) => readStep(task, position, context) ?? []);
}

/** Whether a step says something that the originals had no word for: then its author counts on expressions, not on `previous`. */
function isBeyondOriginals(step: StepDefinition): boolean {
  const { when, forEach, repeat, compensation, reserveNames } = step;
  if (step.kind !== "agent" || reserveNames.length > 0) return true;
  return when !== null || forEach !== null || repeat !== null || compensation !== null;
}

function keysOf(limits: PlanStep["limits"]): JsonValue {
  return [limits?.concurrency?.key ?? null, limits?.rate?.key ?? null];
}

/** `${{` anywhere, even in a form that turned out to be text: its author counts on it being looked at. */
function hasExpressions(values: readonly JsonValue[]): boolean {
  return values.some((value) => {
    if (typeof value === "string") return hasExpression(value);
    if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return false;
    return hasExpressions(Array.isArray(value) ? value : Object.values(value));
  });
}

import { type Issue, isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";
import type { ExpressionScope } from "../expressions/scope.ts";
import { compileTemplate, resolveTemplate, type Template } from "../expressions/template.ts";
import type { PlanStep, WorkflowPlan } from "./plan.ts";
import { stepIds } from "./references.ts";
import { needFit } from "./schema-mismatch.ts";
import { validate } from "./schema-validation.ts";
import { templatesOf } from "./step-templates.ts";
import { evaluatedObject, evaluatedValue } from "./step-values.ts";

/** The result of a workflow without any step, as the originals answered it. */
const EMPTY_RESULT = { message: "Workflow has no tasks" };

/** Compiled templates live as long as their plan. */
const outputTemplates = new WeakMap<WorkflowPlan, Template>();

/** Hands over a template that compiling the definition made, so that it is not compiled again. */
export function keepOutput(plan: WorkflowPlan, template: Template): void {
  outputTemplates.set(plan, template);
}

function outputOf(plan: WorkflowPlan, output: JsonValue): Template {
  const known = outputTemplates.get(plan);
  if (known !== undefined) return known;
  const template = compileTemplate(output);
  outputTemplates.set(plan, template);
  return template;
}

/**
 * Checks a session's input before it is accepted.
 * @returns issues with paths inside the input; none when it will do
 */
export function checkInput(plan: WorkflowPlan, input: JsonValue): Issue[] {
  if (plan.inputSchema !== null) return validate(plan.inputSchema, input);
  if (plan.data === "expressions" || input === null || isJsonObject(input)) return [];
  const msg = "must be an object: this workflow reads no `input`, so it takes the place of the first task's parameters";
  return [{ loc: [], msg, type: "wrong_type" }];
}

/**
 * Checks what a step is to be given instead of its own parameters.
 * @returns issues with paths inside of it; none when it will do
 */
export function checkParameters(step: PlanStep, parameters: JsonValue): Issue[] {
  return step.inputSchema === null ? [] : validate(step.inputSchema, parameters);
}

/** Ids of the steps whose status, result or error a step's expressions, or `stepParameters`, ask the scope for. */
export function parameterReads(plan: WorkflowPlan, step: PlanStep): readonly string[] {
  return plan.data === "expressions" ? step.reads : idsOf(plan, step.dependsOn);
}

/**
 * What the task of an agent or a tool is given to work on.
 *
 * Original data: the step's parameters (for the first listed step a non-empty initial payload instead), and for a step
 * that waits for others `previous`: the result before it, or an object of results by step id when it waits for several.
 * Expressions: the parameters with every `${{ }}` replaced by its value.
 * @throws OpspawnError `expression_failed`, or `input_invalid` when the step's schema refuses them; the paths begin with
 *   `parameters`
 */
export function stepParameters(plan: WorkflowPlan, step: PlanStep, scope: ExpressionScope): JsonObject {
  const original = plan.data === "original";
  const parameters = original ? originalParameters(plan, step, scope) : evaluated(step, scope);
  const what = "The parameters do not fit the step's input schema";
  needFit(step.inputSchema, parameters, { code: "input_invalid", loc: ["parameters"], what });
  return parameters;
}

/**
 * What any step begins with: for an agent or a tool its `stepParameters`, for a workflow its input, for an approval
 * `{ message, details? }`, for a wait until a time the text of that time.
 * @throws OpspawnError `expression_failed` or `input_invalid`; the paths begin with the step's `parametersAt`
 */
export function evaluatedParameters(plan: WorkflowPlan, step: PlanStep, scope: ExpressionScope): JsonValue {
  const isTask = step.kind === "agent" || step.kind === "tool";
  return isTask ? stepParameters(plan, step, scope) : evaluatedValue(step, scope);
}

/**
 * Makes sure that what an agent, a tool or a workflow gives as the result of a step is one; of a step with `forEach`,
 * the result for one item.
 * @throws OpspawnError `output_invalid` when the step's schema refuses it; the paths begin with `result`
 */
export function checkResult(step: PlanStep, result: JsonValue): void {
  const what = "The result does not fit the step's output schema";
  needFit(step.outputSchema, result, { code: "output_invalid", loc: ["result"], what });
}

function evaluated(step: PlanStep, scope: ExpressionScope): JsonObject {
  return evaluatedObject(templatesOf(step).parameters, scope, ["parameters"]);
}

function originalParameters(plan: WorkflowPlan, step: PlanStep, scope: ExpressionScope): JsonObject {
  const payload = step.index === 0 ? scope.input : null;
  const replaced = isJsonObject(payload) && Object.keys(payload).length > 0;
  const parameters = (replaced ? payload : step.parameters) as JsonObject;
  const [first, ...others] = idsOf(plan, step.dependsOn);
  if (first === undefined) return parameters;
  if (others.length === 0) return { ...parameters, previous: resultOf(scope, first) };
  return { ...parameters, previous: resultsOf(scope, [first, ...others]) };
}

/** Ids of the steps `sessionOutput` may ask the scope for, in the order in which it asks. */
export function outputReads(plan: WorkflowPlan): readonly string[] {
  if (plan.output !== undefined) return stepIds(outputOf(plan, plan.output).references);
  return plan.order === "graph" ? sinksOf(plan) : lastFirst(plan);
}

/**
 * What a finished session answers: the definition's `output`; else, in a graph, the results of the steps nobody waits
 * for, by id; else the result of the last step that completed.
 * @throws OpspawnError `expression_failed`, or `output_invalid` when the workflow's schema refuses it; the paths begin
 *   with `output`
 */
export function sessionOutput(plan: WorkflowPlan, scope: ExpressionScope): JsonValue {
  const output = outputValue(plan, scope);
  const what = "The output does not fit the workflow's output schema";
  needFit(plan.outputSchema, output, { code: "output_invalid", loc: ["output"], what });
  return output;
}

function outputValue(plan: WorkflowPlan, scope: ExpressionScope): JsonValue {
  if (plan.output !== undefined) return resolveTemplate(outputOf(plan, plan.output), scope, ["output"]);
  if (plan.steps.length === 0) return { ...EMPTY_RESULT };
  if (plan.order === "graph") return resultsOf(scope, sinksOf(plan));
  const last = lastFirst(plan).find((id) => scope.steps.get(id)?.status === "completed");
  return last === undefined ? null : resultOf(scope, last);
}

function resultOf(scope: ExpressionScope, stepId: string): JsonValue {
  const step = scope.steps.get(stepId);
  return step?.status === "completed" ? (step.results ?? step.result) : null;
}

function resultsOf(scope: ExpressionScope, stepIdentifiers: readonly string[]): JsonObject {
  return Object.fromEntries(stepIdentifiers.map((id) => [id, resultOf(scope, id)]));
}

function idsOf(plan: WorkflowPlan, positions: readonly number[]): string[] {
  return positions.flatMap((position) => plan.steps[position]?.id ?? []);
}

/** The steps of a graph that no other waits for. What stands in for another gives that one its result. */
function sinksOf(plan: WorkflowPlan): string[] {
  const sinks = plan.steps.filter((step) => step.dependents.length === 0 && step.reserveOf?.role !== "fallback");
  return sinks.map((step) => step.id);
}

/**
 * The steps of a list or chain, the last to run first. A branch, once taken, runs instead of all that would have come
 * after it, so it comes before them here; of several one at most completes.
 */
function lastFirst(plan: WorkflowPlan): string[] {
  const branches = plan.steps.filter(({ reserveOf }) => reserveOf !== null && reserveOf.role !== "fallback");
  const ids = branches.map((step) => step.id);
  let step = plan.steps.find((each) => each.reserveOf === null && each.dependents.length === 0);
  while (step !== undefined) {
    ids.push(step.id);
    const [before] = step.dependsOn;
    step = before === undefined ? undefined : plan.steps[before];
  }
  return ids;
}

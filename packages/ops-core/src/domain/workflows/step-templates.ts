import { compileSource, compileTemplate, type Template } from "../expressions/template.ts";
import type { ForEach, PlanStep } from "./plan.ts";

/** The expressions of a step, compiled. */
export interface StepTemplates {
  readonly parameters: Template;
  readonly when: Template | null;
  readonly items: Template | null;
  readonly until: Template | null;
  readonly compensation: Template | null;
  readonly concurrencyKey: Template | null;
  readonly rateKey: Template | null;
}

/** Compiled templates live as long as their plan. */
const known = new WeakMap<PlanStep, StepTemplates>();

/** Hands over what compiling the definition made, so that it is not compiled again. */
export function keepTemplates(step: PlanStep, templates: StepTemplates): void {
  known.set(step, templates);
}

export function templatesOf(step: PlanStep): StepTemplates {
  const kept = known.get(step);
  if (kept !== undefined) return kept;
  const templates = compile(step);
  known.set(step, templates);
  return templates;
}

/** For a step that is a copy of the one that was compiled. */
function compile({ parameters, when, forEach, repeat, compensation, limits }: PlanStep): StepTemplates {
  return {
    parameters: compileTemplate(parameters),
    when: when === null ? null : compileSource(when),
    items: forEach === null ? null : itemsOf(forEach),
    until: repeat === null ? null : compileSource(repeat.until),
    compensation: compensation === null ? null : compileTemplate(compensation.parameters),
    concurrencyKey: keyOf(limits?.concurrency),
    rateKey: keyOf(limits?.rate),
  };
}

function keyOf(limit: { readonly key: string } | null | undefined): Template | null {
  return limit == null ? null : compileTemplate(limit.key);
}

function itemsOf({ items }: ForEach): Template {
  return typeof items === "string" ? compileSource(items) : compileTemplate(items);
}

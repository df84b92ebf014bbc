import type { PerRunRoot } from "../expressions/scope.ts";
import type { Template, TemplateReference } from "../expressions/template.ts";
import type { StepTemplates } from "./step-templates.ts";

/** The expressions of one place of a step, and what may be read there besides what came before. */
export interface Reading {
  /** The place, from the step. */
  readonly at: readonly string[];
  readonly references: readonly TemplateReference[];
  /** Roots that have a value there. */
  readonly roots: readonly PerRunRoot[];
  /** Whether the step may read itself. */
  readonly own: boolean;
}

const PER_ITEM: readonly PerRunRoot[] = ["item", "index"];
const PER_ITERATION: readonly PerRunRoot[] = ["iteration"];

/** All places of a step that hold expressions. */
export function readingsOf(
  templates: StepTemplates,
  step: { readonly parametersAt: readonly string[]; readonly perItem: boolean; readonly repeats: boolean },
): Reading[] {
  const perItem = step.perItem ? PER_ITEM : [];
  const perIteration = step.repeats ? PER_ITERATION : [];
  return [
    reading(templates.when, ["when"], [], false),
    reading(templates.items, ["forEach"], [], false),
    reading(templates.parameters, step.parametersAt, [...perItem, ...perIteration], step.repeats),
    reading(templates.until, ["repeat", "until"], perIteration, true),
    reading(templates.concurrencyKey, ["concurrency", "key"], [...perItem, ...perIteration], step.repeats),
    reading(templates.rateKey, ["rateLimit", "key"], [...perItem, ...perIteration], step.repeats),
    reading(templates.compensation, ["compensate", "parameters"], perItem, true),
  ].filter(({ references }) => references.length > 0);
}

function reading(
  template: Template | null,
  at: readonly string[],
  roots: readonly PerRunRoot[],
  own: boolean,
): Reading {
  return { at, references: template?.references ?? [], roots, own };
}

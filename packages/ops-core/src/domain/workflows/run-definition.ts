import { isJsonObject, type JsonValue } from "@opspawn/contract";
import { readExpression, readTemplate, type Template, type Wanted } from "../expressions/template.ts";
import { readCondition } from "./expression-definition.ts";
import { Fields } from "./fields.ts";
import { readOpenItems } from "./limit-definition.ts";
import { DELAY_MAX, ITEMS_MAX, ITERATIONS_MAX } from "./limits.ts";
import type { ForEach, Repeat } from "./plan.ts";
import type { StepContext } from "./step-definition.ts";

/** Items under way at once where nothing is said. */
const DEFAULT_CONCURRENCY = 10;
const LIST: Wanted = { type: "list", what: "a list" };

/** How often a step runs: once where both are null. */
export interface Runs {
  readonly forEach: ForEach | null;
  readonly items: Template | null;
  readonly repeat: Repeat | null;
  readonly until: Template | null;
}

/** Reads `forEach` with what belongs to it, or `repeat`. */
export function readRuns(step: Fields, context: StepContext): Runs {
  const perItem = step.value("forEach") !== undefined;
  if (!perItem) refuseItems(step);
  if (perItem && step.value("repeat") !== undefined) {
    step.refuse("repeat", "conflict", "cannot stand together with `forEach`");
    return { ...readForEach(step, context), repeat: null, until: null };
  }
  return { ...readForEach(step, context), ...readRepeat(step, context) };
}

/** Refuses what is said of items where there are none. An object in `concurrency` says something of each task, too. */
function refuseItems(step: Fields): void {
  const msg = "belongs to `forEach`, which is missing";
  if (step.value("onItemError") !== undefined) step.refuse("onItemError", "conflict", msg);
  const concurrency = step.value("concurrency");
  if (isJsonObject(concurrency)) {
    const inside = new Fields(concurrency, step.at("concurrency"), step.issues);
    if (inside.value("items") !== undefined) inside.refuse("items", "conflict", msg);
  } else if (concurrency !== undefined) step.refuse("concurrency", "conflict", msg);
}

function readForEach(step: Fields, context: StepContext): Pick<Runs, "forEach" | "items"> {
  const read = readItems(step, context);
  if (read === undefined) return { forEach: null, items: null };
  const forEach: ForEach = {
    items: read.items,
    concurrency: readOpenItems(step) ?? DEFAULT_CONCURRENCY,
    onItemError: step.choice("onItemError", ["fail", "collect"]) ?? "fail",
  };
  return { forEach, items: read.template };
}

interface Items {
  readonly items: JsonValue;
  readonly template: Template | null;
}

/** A list, or one expression that yields a list. */
function readItems(step: Fields, { issues, allowance }: StepContext): Items | undefined {
  const value = step.value("forEach");
  const at = step.at("forEach");
  if (value === undefined) return undefined;
  if (Array.isArray(value)) {
    if (value.length > ITEMS_MAX) {
      step.refuse("forEach", "too_large", `has ${value.length} items, at most ${ITEMS_MAX} are allowed`);
    }
    return { items: value, template: readTemplate(value, at, issues, allowance) };
  }
  if (typeof value !== "string") {
    step.refuse("forEach", "wrong_type", "must be a list, or an expression that yields one");
    return { items: [], template: null };
  }
  if (value === "") step.refuse("forEach", "empty", "must not be empty");
  const read = value === "" ? undefined : readExpression(value, at, issues, { allowance, wanted: LIST });
  return { items: read?.source ?? [], template: read?.template ?? null };
}

function readRepeat(step: Fields, context: StepContext): Pick<Runs, "repeat" | "until"> {
  const repeat = step.inside("repeat", '{ until: "steps.check.result.done", maxIterations: 10 }');
  if (repeat === undefined) return { repeat: null, until: null };
  repeat.closed(["until", "maxIterations", "delay", "onExhausted"]);
  for (const name of ["until", "maxIterations"]) {
    if (repeat.value(name) === undefined) repeat.refuse(name, "missing", MISSING[name] ?? "");
  }
  const until = readCondition(repeat, "until", context);
  return {
    repeat: {
      until: until?.source ?? "true",
      maxIterations: repeat.whole("maxIterations", { min: 1, max: ITERATIONS_MAX }) ?? 1,
      delay: repeat.duration("delay", { min: 0, max: DELAY_MAX }) ?? 0,
      onExhausted: repeat.choice("onExhausted", ["fail", "complete"]) ?? "fail",
    },
    until: until?.template ?? null,
  };
}

const MISSING: Readonly<Record<string, string>> = {
  until: "is required: when it is enough",
  maxIterations: "is required: how often it may run",
};

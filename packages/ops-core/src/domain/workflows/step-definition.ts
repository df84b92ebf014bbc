import { isJsonObject, type JsonValue } from "@opspawn/contract";
import type { Allowance } from "../expressions/allowance.ts";
import type { Issues, Loc } from "../issues.ts";
import { readCompensation } from "./compensation-definition.ts";
import { readCondition } from "./expression-definition.ts";
import { readFallback } from "./fallback-definition.ts";
import { Fields } from "./fields.ts";
import { type Limits, readStepLimits } from "./limit-definition.ts";
import {
  DEADLINE_MAX,
  DEADLINE_MIN,
  DESCRIPTION_LENGTH_MAX,
  NAME_LENGTH_MAX,
  PRIORITY_MAX,
  PRIORITY_MIN,
  STEP_ID_LENGTH_MAX,
  TIMEOUT_MAX,
  TIMEOUT_MIN,
} from "./limits.ts";
import { refuseMisplaced } from "./misplaced.ts";
import type { OnFailure, PlanStep } from "./plan.ts";
import { type Reading, readingsOf } from "./readings.ts";
import type { ReserveName } from "./reserve.ts";
import { readRetry } from "./retry-definition.ts";
import { readRuns } from "./run-definition.ts";
import type { PatternAllowance } from "./schema.ts";
import { readStepSchema } from "./schema-definition.ts";
import { KIND_FIELDS, readKind } from "./step-kinds.ts";
import type { StepTemplates } from "./step-templates.ts";
import { TARGET_FIELDS } from "./target-definition.ts";
import { readWork } from "./work-definition.ts";

export type Mode = "original" | "strict";

const STEP_FIELDS: readonly string[] = [
  "taskId",
  "name",
  "description",
  ...TARGET_FIELDS,
  ...KIND_FIELDS,
  "parameters",
  "input",
  "output",
  "dependsOn",
  "nextTaskId",
  "when",
  "forEach",
  "concurrency",
  "rateLimit",
  "onItemError",
  "repeat",
  "retry",
  "timeout",
  "deadline",
  "fallback",
  "compensate",
  "onFailure",
  "priority",
];

/** One entry of `tasks`, read but not yet placed among the others. */
export interface StepDefinition
  extends Omit<PlanStep, "index" | "dependsOn" | "dependents" | "reads" | "reserveOf" | "reserves"> {
  readonly loc: Loc;
  /** As written; undefined when absent. */
  readonly dependsOn: readonly string[] | undefined;
  readonly nextTaskId: string | undefined;
  readonly reserveNames: readonly ReserveName[];
  readonly templates: StepTemplates;
  readonly readings: readonly Reading[];
}

/** What all steps of one definition share while they are read. */
export interface StepContext {
  readonly mode: Mode;
  readonly issues: Issues;
  readonly allowance: Allowance;
  readonly patterns: PatternAllowance;
  /** What limits the tasks of steps that say nothing of it. */
  readonly limits: Limits;
}

/** What `onFailure` may be, on the workflow and on a step. */
export function readOnFailure(fields: Fields): OnFailure | undefined {
  return fields.choice("onFailure", ["fail", "continue", "compensate"]);
}

/** Reads one entry of `tasks`; undefined when it has no usable id. */
export function readStep(task: JsonValue, position: number, context: StepContext): StepDefinition | undefined {
  const { issues, mode } = context;
  const loc = ["tasks", position];
  if (!isJsonObject(task)) {
    issues.add(loc, "wrong_type", "must be an object with at least a `taskId`");
    return undefined;
  }
  const written = new Fields(task, loc, issues);
  const misplaced = refuseMisplaced(written, "task");
  if (mode === "strict") written.closed([...STEP_FIELDS, ...misplaced]);
  const id = readId(written, mode);
  const { kind, fields } = readKind(written);
  const { template, reserveNames, ...work } = readWork(kind, fields, context, position === 0);
  const when = readCondition(fields, "when", context);
  const { forEach, items, repeat, until } = readRuns(fields, context);
  const limits = readStepLimits(fields, kind, context.limits, context);
  const fallback = readFallback(fields, kind);
  const undo = readCompensation(fields, context);
  const templates: StepTemplates = {
    parameters: template,
    when: when?.template ?? null,
    items,
    until,
    compensation: undo?.template ?? null,
    concurrencyKey: limits.concurrency?.key ?? null,
    rateKey: limits.rate?.key ?? null,
  };
  const runs = { perItem: forEach !== null, repeats: repeat !== null };
  const step: StepDefinition = {
    id: id ?? "",
    loc,
    name: fields.text("name", NAME_LENGTH_MAX) ?? id ?? "",
    kind,
    ...work,
    when: when?.source ?? null,
    forEach,
    repeat,
    limits: limitsOf(limits),
    fallback: fallback.target,
    compensation: undo?.compensation ?? null,
    ...readSettings(fields, context),
    dependsOn: fields.names("dependsOn"),
    nextTaskId: fields.id("nextTaskId", STEP_ID_LENGTH_MAX),
    reserveNames: [...reserveNames, ...fallback.reserveNames],
    templates,
    readings: readingsOf(withoutInherited(templates, context.limits), { parametersAt: work.parametersAt, ...runs }),
  };
  return id === undefined ? undefined : step;
}

function limitsOf({ concurrency, rate }: Limits): PlanStep["limits"] {
  if (concurrency === null && rate === null) return null;
  return { concurrency: concurrency?.limit ?? null, rate: rate?.limit ?? null };
}

/** What the workflow's keys read is checked once, where they stand. */
function withoutInherited(templates: StepTemplates, { concurrency, rate }: Limits): StepTemplates {
  const { concurrencyKey, rateKey } = templates;
  return {
    ...templates,
    concurrencyKey: concurrencyKey === concurrency?.key ? null : concurrencyKey,
    rateKey: rateKey === rate?.key ? null : rateKey,
  };
}

function readId(fields: Fields, mode: Mode): string | undefined {
  fields.text("description", DESCRIPTION_LENGTH_MAX);
  const id = fields.id("taskId", STEP_ID_LENGTH_MAX);
  if (fields.value("taskId") !== undefined) return id;
  const prefix = mode === "original" ? "Invalid task data: " : "";
  return fields.refuse("taskId", "missing", `${prefix}is required: every task needs an id`);
}

/** What is said alike about every step, whatever it does. */
function readSettings(
  fields: Fields,
  context: StepContext,
): Pick<PlanStep, "inputSchema" | "outputSchema" | "retry" | "timeout" | "deadline" | "onFailure" | "priority"> {
  return {
    inputSchema: readStepSchema(fields, "input", context),
    outputSchema: readStepSchema(fields, "output", context),
    retry: readRetry(fields),
    timeout: fields.duration("timeout", { min: TIMEOUT_MIN, max: TIMEOUT_MAX }) ?? null,
    deadline: fields.duration("deadline", { min: DEADLINE_MIN, max: DEADLINE_MAX }) ?? null,
    onFailure: readOnFailure(fields) ?? null,
    priority: fields.whole("priority", { min: PRIORITY_MIN, max: PRIORITY_MAX }) ?? 0,
  };
}

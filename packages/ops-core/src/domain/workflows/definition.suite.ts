/** What the tests of the workflow language share: documents to spoil, and what is said about them. */
import assert from "node:assert/strict";
import { type Issue, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import { compileWorkflow } from "./compile.ts";
import type { WorkflowPlan } from "./plan.ts";
import type { Mode } from "./step-definition.ts";

export function document(tasks: JsonValue, rest: JsonObject = {}): JsonObject {
  return { id: "w", name: "W", tasks, ...rest };
}

export function planOf(source: JsonObject, mode: Mode = "strict"): WorkflowPlan {
  return compileWorkflow(source, { mode }).plan;
}

export function warningsOf(source: JsonObject, mode: Mode = "strict"): readonly Issue[] {
  return compileWorkflow(source, { mode }).warnings;
}

/** The error a function must end in. */
export function refusal(run: () => unknown): OpspawnError {
  let caught: unknown;
  try {
    run();
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof OpspawnError, `nothing was refused: ${caught}`);
  return caught;
}

/** The issues of a definition that must be refused. */
export function issuesOf(source: JsonObject, mode: Mode = "strict"): readonly Issue[] {
  const error = refusal(() => compileWorkflow(source, { mode }));
  assert.equal(error.code, "workflow_invalid");
  return error.issues ?? [];
}

type Case = readonly [what: string, source: JsonObject, loc: Issue["loc"], type: string, msg: string];

/** Each definition has exactly one issue, in both modes or the ones named. */
export function refuseEach(cases: readonly Case[], modes: readonly Mode[] = ["strict", "original"]): void {
  for (const [what, source, loc, type, msg] of cases) {
    for (const mode of modes) assert.deepEqual(issuesOf(source, mode), [{ loc, type, msg }], `${what} (${mode})`);
  }
}

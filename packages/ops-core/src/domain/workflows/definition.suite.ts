/** What the tests of the workflow language share: documents to spoil, and what is said about them. */
import assert from "node:assert/strict";
import { type Issue, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import { compileWorkflow } from "./compile.ts";
import { editorSchema } from "./editor-schema.ts";
import type { WorkflowPlan } from "./plan.ts";
import { validate } from "./schema-validation.ts";
import type { Mode } from "./step-definition.ts";

const EDITOR_SCHEMA = editorSchema();

export function document(tasks: JsonValue, rest: JsonObject = {}): JsonObject {
  return { id: "w", name: "W", tasks, ...rest };
}

export function planOf(source: JsonObject, mode: Mode = "strict"): WorkflowPlan {
  const { plan } = compileWorkflow(source, { mode });
  if (mode === "strict")
    assert.deepEqual(editorIssues(source), [], "what the reader accepts, the editor's schema accepts");
  return plan;
}

/** What an editor marks in a definition. */
export function editorIssues(source: JsonValue): readonly Issue[] {
  return validate(EDITOR_SCHEMA, source);
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
  const issues = error.issues ?? [];
  if (mode === "strict" && !issues.some(isBeyondEditors)) {
    assert.notDeepEqual(editorIssues(source), [], `no editor would mark ${JSON.stringify(issues)}`);
  }
  return issues;
}

/** What takes more than a look at one place: other places, sums, expressions, patterns, the size of a duration. */
const BEYOND_EDITORS: readonly (readonly [type: string, msg: RegExp])[] = [
  ["unknown_step", /./],
  ["not_an_ancestor", /./],
  ["unreachable", /./],
  ["cycle", /./],
  ["duplicate", /^another task|in reserve for/],
  ["conflict", /in one definition|in reserve for/],
  ["out_of_place", /./],
  ["no_results", /./],
  ["wrong_time", /./],
  ["out_of_order", /./],
  ["wrong_duration", /^must be from/],
  ["wrong_type", /^must be an object, or one/],
  ["expression_invalid", /./],
  ["schema_invalid", /pattern|points at no schema|leads back/],
  ["too_large", /characters$/],
  ["too_deep", /./],
  ["invalid_text", /./],
  ["invalid_request", /__proto__|keys/],
];

function isBeyondEditors({ type, msg }: Issue): boolean {
  return BEYOND_EDITORS.some(([known, text]) => known === type && text.test(msg));
}

type Case = readonly [what: string, source: JsonObject, loc: Issue["loc"], type: string, msg: string];

/** Each definition has exactly one issue, in both modes or the ones named. */
export function refuseEach(cases: readonly Case[], modes: readonly Mode[] = ["strict", "original"]): void {
  for (const [what, source, loc, type, msg] of cases) {
    for (const mode of modes) assert.deepEqual(issuesOf(source, mode), [{ loc, type, msg }], `${what} (${mode})`);
  }
}

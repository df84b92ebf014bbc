/** What the tests of the expression language share: data to read, and tables of sources and answers. */
import assert from "node:assert/strict";
import { type JsonValue, OpspawnError } from "@opspawn/contract";
import type { ExpressionScope } from "./scope.ts";
import { compileTemplate, resolveTemplate } from "./template.ts";

const raw = (text: string) => JSON.rawJSON(text) as unknown as JsonValue;

export const scope: ExpressionScope = {
  input: {
    url: "http://x/é😀",
    n: 5,
    price: 100,
    half: 0.5,
    yes: true,
    nothing: null,
    huge: raw("12345678901234567890123"),
    wide: raw("9007199254740993"),
    point: raw("1.0"),
    enormous: raw("1e400"),
    list: [1, 2, 3, { a: "b" }],
    words: ["a", "b", "c"],
    map: { k: 1, "odd key": 2 },
    empty: [],
  },
  steps: new Map([
    ["fetch", { status: "completed", result: { text: "hello", parts: ["p", "q"] }, error: null }],
    ["publish-ok", { status: "failed", result: { left: "over" }, error: { code: "agent_error", message: "boom" } }],
    ["undone", { status: "compensated", result: 7, error: null }],
  ]),
  session: { id: "s-1", labels: { env: "prod" } },
  trigger: { agentId: null },
};

/** The JSON text an expression yields. */
export function evaluated(source: string): string {
  return JSON.stringify(resolveTemplate(compileTemplate(`\${{ ${source} }}`), scope));
}

export function refusal(run: () => unknown, code: string): string {
  let caught: unknown;
  try {
    run();
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof OpspawnError, `nothing was refused: ${caught}`);
  assert.equal(caught.code, code);
  return caught.message;
}

/** What is said when an expression is compiled, without the quotation of the source. */
export function refused(source: string): string {
  return refusal(() => compileTemplate(`\${{ ${source} }}`), "workflow_invalid").replace(/ \(in \$\{\{.*$/s, "");
}

export function failed(source: string): string {
  const template = compileTemplate(`\${{ ${source} }}`);
  return refusal(() => resolveTemplate(template, scope), "expression_failed").replace(/ \(in \$\{\{.*$/s, "");
}

export function table(
  cases: readonly (readonly [source: string, expected: string])[],
  run: (source: string) => string,
): void {
  for (const [source, expected] of cases) assert.equal(run(source), expected, source);
}

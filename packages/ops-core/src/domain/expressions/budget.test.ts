import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonValue } from "@opspawn/contract";
import { refusal, scope } from "./expression.suite.ts";
import { compileTemplate, resolveTemplate } from "./template.ts";

/** Wall time no bomb may take, with room for a slow and busy machine. */
const PATIENCE_MS = 5_000;

const numbers = Array.from({ length: 10_000 }, (_, at) => at);
const data = {
  numbers,
  words: numbers.map((number) => `word ${number}`),
  long: "a".repeat(250_000),
  wide: "é".repeat(100_000),
  map: Object.fromEntries(numbers.map((number) => [`key${number}`, number])),
};

/** Doubles a value `times` times: a list that holds itself twice, or a string after itself. */
function doubled(start: string, step: (name: string) => string, times: number, body: string): string {
  let source = body;
  for (let at = times; at > 0; at -= 1)
    source = `cel.bind(v${at}, ${step(at === 1 ? start : `v${at - 1}`)}, ${source})`;
  return source;
}

const bombs: readonly (readonly [what: string, source: string, message: RegExp])[] = [
  ["nested loops", "input.numbers.map(a, input.numbers.map(b, a * b))", /takes more than 500000 steps/],
  ["nested exists", "input.numbers.exists(a, input.numbers.exists(b, b < 0 && a < 0))", /takes more than 500000 steps/],
  [
    "failures that || would swallow",
    "input.numbers.all(a, input.numbers.all(b, b.x)) || true",
    /takes more than 500000 steps/,
  ],
  [
    "a loop on the left of &&",
    "input.numbers.exists(a, input.numbers.all(b, b >= 0) && false)",
    /takes more than 500000 steps/,
  ],
  ["text that doubles", doubled("input.long", (v) => `${v} + ${v}`, 20, "v20"), /longer than 1048576 characters/],
  ["text that is copied", "input.numbers.map(n, input.long.upperAscii())", /takes more than 500000 steps/],
  ["replacement that grows", 'input.long.replace("a", input.long)', /longer than 1048576 characters/],
  [
    "lists that double",
    doubled("input.numbers", (v) => `${v} + ${v}`, 20, "size(v20)"),
    /takes more than 500000 steps/,
  ],
  ["two lists that compare in exponential time", comparison(), /takes more than 500000 steps/],
  [
    "a small list that is huge as JSON",
    doubled("[1]", (v) => `[${v}, ${v}]`, 30, "v30"),
    /larger than 1048576 characters/,
  ],
  ["one payload many times", "input.numbers.map(n, input.words)", /larger than 1048576 characters/],
  [
    "a search with a long needle",
    'input.numbers.exists(n, input.long.contains(input.long.substring(1) + "b"))',
    /takes more than 500000 steps/,
  ],
  [
    "a pattern over long text",
    'input.numbers.exists(n, re(input.wide, "(\\\\pL{0,30}){0,30}!"))',
    /takes more than 500000 steps/,
  ],
  ["lookups that are never found", "input.words.filter(w, w in input.words)", /takes more than 500000 steps/],
  ["maps that are compared", "input.numbers.filter(n, input.map == input.map)", /takes more than 500000 steps/],
  ["maps that are counted", "input.numbers.map(n, size(input.map))", /takes more than 500000 steps/],
  ["splitting into characters", 'input.numbers.map(n, size(input.long.split("")))', /takes more than 500000 steps/],
  ["joining", 'input.numbers.map(n, size(input.words.join(",")))', /takes more than 500000 steps/],
  ["comparing long text", "input.numbers.filter(n, input.long < input.long)", /takes more than 500000 steps/],
];

/** The second copy of the exponential comparison needs names of its own, and the comparison inside all of them. */
function comparison(): string {
  const fourfold = (body: string) => doubled("[1]", (v) => `[${v}, ${v}, ${v}, ${v}]`, 12, body);
  const second = fourfold("w12 == SAME").replaceAll(/\bv(\d)/g, "w$1");
  return fourfold(second.replace("SAME", "v12"));
}

for (const [what, source, message] of bombs) {
  test(`a bomb ends quickly and the same way each time: ${what}`, () => {
    const template = compileTemplate(`\${{ ${source} }}`);
    const started = performance.now();
    const run = () =>
      refusal(() => resolveTemplate(template, { ...scope, input: data as unknown as JsonValue }), "expression_failed");
    const first = run();
    assert.match(first, message);
    assert.equal(run(), first);
    assert.ok(performance.now() - started < PATIENCE_MS);
  });
}

test("the steps of all expressions of one resolution are counted together", () => {
  const once = "${{ input.numbers.exists(n, n < 0) }}";
  const input = { ...scope, input: data as unknown as JsonValue };
  assert.equal(resolveTemplate(compileTemplate(once), input), false);
  const often = compileTemplate(Array.from({ length: 50 }, () => once));
  assert.match(
    refusal(() => resolveTemplate(often, input), "expression_failed"),
    /^\[\d+\]: takes more than 500000 steps/,
  );
});

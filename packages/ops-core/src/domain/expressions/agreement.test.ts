import assert from "node:assert/strict";
import { test } from "node:test";
import { Environment } from "@marcbachmann/cel-js";
import type { JsonValue } from "@opspawn/contract";
import fc from "fast-check";
import { scope } from "./expression.suite.ts";
import { compileTemplate, resolveTemplate } from "./template.ts";

const input = { a: 3, b: -7, text: "a-b-c", list: [3, 1, 2], words: ["x", "yy", ""] };
/** The same data as the library wants it. */
const context = { input: { ...input, a: 3n, b: -7n, list: [3n, 1n, 2n] } };

/** Lists of mixed types are ours to allow. */
const library = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });

const int = fc.constantFrom("input.a", "input.b", "0", "1", "2", "-4", "9223372036854775807");
const text = fc.constantFrom("input.text", '"a"', '"-"', '""', '"b-c"', "input.words[1]");
const list = fc.constantFrom("input.list", "[1, 2]", "dyn([])", "[input.a]");

const DEPTH = { maxDepth: 3, depthIdentifier: "source" };

/**
 * Random well-typed sources. Where the dialects differ on purpose (mixed numbers, code points) nothing is generated, nor
 * where the library does not hold to the language: it negates the smallest integer into one that does not fit.
 */
const sources = fc.letrec<{ int: string; text: string; list: string; bool: string }>((tie) => ({
  int: fc.oneof(
    DEPTH,
    int,
    fc.tuple(tie("int"), fc.constantFrom("+", "-", "*", "/", "%"), tie("int")).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie("bool"), tie("int"), tie("int")).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
    tie("text").map((value) => `size(${value})`),
    tie("list").map((value) => `${value}.size()`),
    fc.tuple(tie("list"), tie("int")).map(([a, b]) => `${a}[${b}]`),
    fc.tuple(tie("text"), tie("text")).map(([a, b]) => `${a}.indexOf(${b})`),
    int.map((value) => `(-${value})`),
    tie("int").map((value) => `int(string(${value}))`),
  ),
  text: fc.oneof(
    DEPTH,
    text,
    fc.tuple(tie("text"), tie("text")).map(([a, b]) => `(${a} + ${b})`),
    tie("int").map((value) => `string(${value})`),
    fc.tuple(tie("text"), tie("int")).map(([a, b]) => `${a}.substring(${b})`),
    fc.tuple(tie("text"), tie("int"), tie("int")).map(([a, b, c]) => `${a}.substring(${b}, ${c})`),
    fc.tuple(tie("text"), tie("text")).map(([a, b]) => `input.words.join(${a}).split("y").join(${b})`),
    tie("text").map((value) => `${value}.upperAscii().trim()`),
  ),
  list: fc.oneof(
    DEPTH,
    list,
    fc.tuple(tie("list"), tie("list")).map(([a, b]) => `(${a} + ${b})`),
    fc.tuple(tie("list"), tie("int")).map(([a, b]) => `${a}.map(v, v + ${b})`),
    fc.tuple(tie("list"), tie("int")).map(([a, b]) => `${a}.filter(v, v > ${b})`),
    fc.tuple(tie("list"), tie("int")).map(([a, b]) => `${a}.map(v, v != ${b}, v * 2)`),
    fc.tuple(tie("int"), tie("int")).map(([a, b]) => `cel.bind(t, ${a}, [t, ${b}])`),
  ),
  bool: fc.oneof(
    DEPTH,
    fc.constantFrom("true", "false"),
    fc
      .tuple(tie("int"), fc.constantFrom("<", "<=", ">", ">=", "==", "!="), tie("int"))
      .map((parts) => `(${parts.join(" ")})`),
    fc.tuple(tie("text"), fc.constantFrom("==", "!=", "<"), tie("text")).map((parts) => `(${parts.join(" ")})`),
    fc.tuple(tie("list"), fc.constantFrom("==", "!="), tie("list")).map((parts) => `(${parts.join(" ")})`),
    fc.tuple(tie("bool"), fc.constantFrom("&&", "||"), tie("bool")).map((parts) => `(${parts.join(" ")})`),
    tie("bool").map((value) => `!${value}`),
    fc.tuple(tie("int"), tie("list")).map(([a, b]) => `(${a} in ${b})`),
    fc
      .tuple(tie("list"), fc.constantFrom("all", "exists", "exists_one"), tie("int"))
      .map(([a, f, b]) => `${a}.${f}(v, v / ${b} > 0)`),
    fc
      .tuple(tie("text"), fc.constantFrom("startsWith", "endsWith", "contains"), tie("text"))
      .map(([a, f, b]) => `${a}.${f}(${b})`),
    fc.constantFrom("has(input.a)", "has(input.z)"),
  ),
}));

const FAILED = Symbol("failed");

function ours(source: string): unknown {
  try {
    const value = resolveTemplate(compileTemplate({ v: `\${{ ${source} }}` }), { ...scope, input: input as JsonValue });
    return JSON.stringify(value);
  } catch {
    return FAILED;
  }
}

function theirs(source: string): unknown {
  try {
    const value: unknown = library.evaluate(source, context);
    const json = JSON.stringify({ v: value }, (_, each) => (typeof each === "bigint" ? JSON.rawJSON(`${each}`) : each));
    return json;
  } catch {
    return FAILED;
  }
}

test("the smallest integer has no opposite", () => {
  const smallest = "(-9223372036854775807 - 1)";
  assert.equal(ours(smallest), '{"v":-9223372036854775808}');
  assert.equal(ours(`-${smallest}`), FAILED);
});

test("evaluation agrees with the library's own, failures included", () => {
  let failures = 0;
  const typed = fc.oneof(sources.int, sources.text, sources.list, sources.bool);
  const check = fc.property(typed, (source) => {
    const expected = theirs(source);
    if (expected === FAILED) failures += 1;
    assert.equal(ours(source), expected, source);
  });
  fc.assert(check, { numRuns: 1_500 });
  assert.ok(failures > 50, "the sources are tame");
});

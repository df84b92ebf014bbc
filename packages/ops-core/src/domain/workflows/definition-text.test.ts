import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import fc from "fast-check";
import { stringify } from "yaml";
import { refusal } from "./definition.suite.ts";
import { type DefinitionFormat, parseDefinition } from "./definition-text.ts";

/** Wall time no bomb may take, with room for a slow and busy machine. */
const PATIENCE_MS = 10_000;

function refused(text: string, format: DefinitionFormat = "auto"): string {
  const error = refusal(() => parseDefinition(text, format));
  assert.equal(error.code, "workflow_invalid");
  return error.message;
}

test("JSON and YAML say the same, and the format is seen by its first character", () => {
  const expected = { id: "a", tasks: [{ taskId: "x", n: 1 }], note: null, yes: true };
  assert.deepEqual(
    parseDefinition('{"id":"a","tasks":[{"taskId":"x","n":1}],"note":null,"yes":true}', "auto"),
    expected,
  );
  assert.deepEqual(parseDefinition("id: a\ntasks:\n  - taskId: x\n    n: 1\nnote:\nyes: true\n", "auto"), expected);
  assert.deepEqual(parseDefinition("\uFEFFid: a\n", "auto"), { id: "a" });
  assert.deepEqual(parseDefinition('\uFEFF {"id": "a"}', "auto"), { id: "a" });
  assert.deepEqual(parseDefinition("{id: a, tasks: []}", "yaml"), { id: "a", tasks: [] });
});

test("YAML is read by the core schema: text that other schemas take for something else stays text", () => {
  const text =
    'a: yes\nb: 2020-01-01\nc: 0x1F\nd: 0o17\ne: "5"\nf: ~\ng: |\n  two\n  lines\nh: 1_000\ni: <<\n1: one\nj: "!tag *alias &anchor"\n';
  assert.deepEqual(parseDefinition(text, "yaml"), {
    a: "yes",
    b: "2020-01-01",
    c: 31,
    d: 15,
    e: "5",
    f: null,
    g: "two\nlines\n",
    h: "1_000",
    i: "<<",
    1: "one",
    j: "!tag *alias &anchor",
  });
});

test("numbers keep what a double would lose", () => {
  const json = '{"a":12345678901234567890,"b":1.0,"c":1.50,"d":5,"e":-0.5}';
  assert.equal(JSON.stringify(parseDefinition(json, "json")), json);
  const yaml = "a: 12345678901234567890\nb: 1.0\nc: 1.50\nd: 5\ne: -0.5\n";
  assert.equal(JSON.stringify(parseDefinition(yaml, "yaml")), json);
  assert.deepEqual(parseDefinition("a: +1.5\nb: .5\n", "yaml"), { a: 1.5, b: 0.5 });
});

test("anchors and aliases are expanded", () => {
  const text = "base: &base { timeout: 1m }\none: *base\ntwo: [*base, &x 5, *x]\n";
  assert.deepEqual(parseDefinition(text, "yaml"), {
    base: { timeout: "1m" },
    one: { timeout: "1m" },
    two: [{ timeout: "1m" }, 5, 5],
  });
});

test("a mistake of syntax is named with its line and column", () => {
  const json: [string, string][] = [
    ['{"a":\n 1,}', "line 2, column 4: expected a property name in double quotes"],
    ['{"a": "😀", tru}', "line 1, column 13: expected a property name in double quotes"],
    ['{"a":1} x', "line 1, column 9: text after the end of the document"],
    ['{\n"a": {"x": [1, "x:{"]},\n "a":2}', 'line 3, column 2: the key "a" is given twice'],
    ['{"a": [{"b": 1}, {"b": 2, "c": {}, "\\u0062": 3}]}', 'line 1, column 36: the key "\\u0062" is given twice'],
    ['{"a": 01}', "line 1, column 8: expected ',' or '}'"],
  ];
  for (const [text, message] of json) assert.equal(refused(text), message, text);
  const yaml: [string, string][] = [
    ["a: 1\nb: 2\na: 3", 'line 3, column 1: the key "a" is given twice'],
    ["a: [1, 2", "line 1, column 9: flow sequence in block collection must be sufficiently indented and end with a ]"],
    ["a: 1\n b: 2", "line 1, column 4: nested mappings are not allowed in compact mappings"],
    ["a: 1\nb: !!str 5", "line 2, column 4: the tag !!str is not allowed; quote the value instead"],
    ["%YAML 1.1\n---\na: 1", "line 1, column 1: directives are not allowed"],
    ["a: 1\n---\nb: 1", "line 2, column 1: only one document is allowed"],
    ["a: .inf", "line 1, column 4: .inf is no JSON number"],
    ["? [a]\n: b", "line 1, column 3: a key must be a plain string"],
    ["a: &x 1\n*x : 2", "line 2, column 1: a key must be a plain string"],
    ["a: *nope", "line 1, column 4: the alias *nope has no anchor before it"],
    ["__proto__: 1", 'line 1, column 1: the key "__proto__" is not allowed'],
    ["x:\n  constructor: 1", 'line 2, column 3: the key "constructor" is not allowed'],
  ];
  for (const [text, message] of yaml) assert.equal(refused(text), message, text);
});

test("a definition is an object", () => {
  const message = "a workflow definition is an object with `id`, `name` and `tasks`";
  for (const text of ["", "- a", "[1]", '"x"', "5", "# nothing"]) assert.equal(refused(text), message, text);
});

test("what no document may hold is refused with its path", () => {
  const cases: [string, string][] = [
    ['{"a": {"__proto__": 1}}', "a.__proto__: "],
    ['{"a": ["\\u0000"]}', "a[0]: "],
    ['a: "x\\0"', "a: "],
    ['{"a b": "\\ud800"}', '["a b"]: '],
    ['a: ["\\udc00"]', "a[0]: "],
    ["a: 1e400", "a: "],
  ];
  for (const [text, path] of cases) assert.ok(refused(text).startsWith(path), `${text}: ${refused(text)}`);
});

const lines = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join("\n");
const bombs: [what: string, text: string, format: DefinitionFormat, message: RegExp][] = [
  ["deep JSON", "[".repeat(10_000), "json", /nested more than 64 levels/],
  ["deep JSON that closes", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`, "json", /nested more than 64 levels/],
  ["deep flow YAML", "[".repeat(100_000), "yaml", /nested deeper than 64 levels/],
  ["deep maps", "{a: ".repeat(60_000), "yaml", /nested deeper than 64 levels/],
  ["deep sequences", "- ".repeat(50_000), "yaml", /nested deeper than 64 levels/],
  ["deep keys", "? ".repeat(50_000), "yaml", /nested deeper than 64 levels/],
  ["deep blocks", lines(300, (at) => `${" ".repeat(at)}a:`), "yaml", /nested deeper than 64 levels/],
  [
    "billion laughs",
    `a0: &a0 [${'"lol",'.repeat(9)}]\n${lines(9, (at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]`)}`,
    "yaml",
    /more than 100000 values/,
  ],
  ["an alias of itself", "a: &a [*a]", "yaml", /nested deeper than 64 levels/],
  [
    "a large text many times",
    `a: &a "${"x".repeat(200_000)}"\nb: [${"*a,".repeat(20)}]`,
    "yaml",
    /larger than 1048576 characters/,
  ],
  ["many aliases", `a: &a 1\n${lines(200, (at) => `k${at}: *a`)}`, "yaml", /more than 100 aliases/],
  ["many anchors", "&a ".repeat(80_000), "yaml", /more than 150000 parts|at most one anchor/],
  ["many documents", "---\n".repeat(60_000), "yaml", /only one document/],
  ["many keys", `{${"a,".repeat(100_000)}}`, "yaml", /more than 150000 parts|given twice/],
  ["many bytes", `a: ${"é".repeat(140_000)}`, "yaml", /larger than 262144 bytes/],
];

for (const [what, text, format, message] of bombs) {
  test(`a bomb is refused quickly: ${what}`, () => {
    const started = performance.now();
    assert.match(refused(text, format), message);
    assert.ok(performance.now() - started < PATIENCE_MS);
  });
}

test("20,000 different keys are read in time that grows with their number, not its square", () => {
  const started = performance.now();
  assert.equal(
    Object.keys(
      parseDefinition(
        lines(20_000, (at) => `k${at}: 1`),
        "yaml",
      ),
    ).length,
    20_000,
  );
  assert.ok(performance.now() - started < PATIENCE_MS);
});

const documents = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }))
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject)
  .filter((value) => !/__proto__|constructor|prototype|\\u0000|\\u[dD][89a-fA-F]/.test(JSON.stringify(value)));

/** `-0` and large round numbers come back as the text they were written in, which is right but not deeply equal. */
const plain = (value: JsonValue) => JSON.parse(JSON.stringify(value)) as JsonValue;

test("what is written as JSON or YAML is read back the same", () => {
  fc.assert(
    fc.property(documents, (value) => {
      assert.deepEqual(plain(parseDefinition(JSON.stringify(value), "json")), plain(value));
      assert.deepEqual(
        plain(parseDefinition(stringify(value, { schema: "core", aliasDuplicateObjects: false }), "yaml")),
        plain(value),
      );
    }),
    { numRuns: 150 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonValue, parseJson, stringifyJson } from "@opspawn/contract";
import fc from "fast-check";
import { parse } from "yaml";
import { createStyle } from "./style.ts";
import { type Column, tableLines } from "./table.ts";
import { inertJson, plain, plainLines, truncate, width, wrap } from "./text.ts";
import { age, elapsed } from "./time.ts";
import { toYaml } from "./yaml.ts";

const noStyle = createStyle(false);
const anyText = fc.string({ unit: "binary" });
const OBEYED = /[[\p{Cc}--\n]\u202a-\u202e\u2066-\u2069]/v;

test("plain text holds nothing a terminal obeys, whatever came in", () => {
  fc.assert(fc.property(anyText, (text) => !OBEYED.test(plainLines(text)) && !/[\n]/.test(plain(text))));
});

test("plain text is left as it is", () => {
  for (const text of ["", "Über 10 % – «ok»", "日本語 🎉 👩‍👩‍👧", "a b"]) assert.equal(plain(text), text);
});

test("inert JSON is the same JSON, without what a terminal obeys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = inertJson(JSON.stringify(value));
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.doesNotMatch(text, OBEYED);
    }),
  );
});

test("YAML reads back as the same value, digits included, and holds nothing a terminal obeys", () => {
  const special = fc.constantFrom<JsonValue>(
    "yes",
    "1.0",
    "null",
    "- a",
    "a: b",
    "\u009b2J",
    "\u001b[1m",
    "two\nlines",
    "#",
    "",
  );
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.double({ noNaN: true }),
      fc.boolean(),
      fc.constant(null),
      special,
      tie("list"),
      tie("map"),
    ),
    list: fc.array(tie("value"), { maxLength: 4 }),
    map: fc.dictionary(fc.string({ unit: "binary" }), tie("value"), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(values.value, (value) => {
      const json = JSON.parse(JSON.stringify(value ?? null));
      const text = toYaml(json);
      assert.doesNotMatch(text, OBEYED);
      assert.deepEqual(parse(text), json);
    }),
  );
  assert.equal(toYaml(parseJson('{"big":123456789012345678901,"one":1.0}')), "big: 123456789012345678901\none: 1.0\n");
  assert.equal(stringifyJson(parseJson("1.0")), "1.0");
});

test("cut text is as wide as allowed and no wider", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, columns) => {
      const line = plain(text);
      const cut = truncate(line, columns);
      assert.ok(width(cut) <= columns);
      if (width(line) <= columns) assert.equal(cut, line);
    }),
  );
  assert.equal(truncate("日本語テキスト", 6), "日本…");
});

test("wrapped lines keep every word and exceed the width by single words only", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), fc.integer({ min: 5, max: 40 }), (words, columns) => {
      const lines = wrap(words.join(" "), columns);
      assert.equal(lines.join(" "), words.join(" "));
      for (const line of lines) assert.ok(line.length <= columns || !line.includes(" "));
    }),
  );
});

test("a table fits its width as long as its columns may give", () => {
  const columns: Column<[string, string, string]>[] = [
    { title: "ID", value: ([id]) => id },
    { title: "NAME", value: ([, name]) => name, least: 6 },
    { title: "ERROR", value: ([, , error]) => error, least: 8 },
  ];
  const cell = fc.string({ unit: "grapheme", maxLength: 120 });
  const rows = fc.array(fc.tuple(fc.string({ maxLength: 41 }), cell, cell), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(rows, (items) => {
      const lines = tableLines(items, columns, 80, noStyle);
      assert.equal(lines.length, items.length + 1);
      for (const line of lines) assert.ok(width(line) <= 80, line);
    }),
  );
  assert.deepEqual(tableLines([["task_1", "short", "x".repeat(90)]], columns, 40, noStyle), [
    "ID      NAME   ERROR",
    `task_1  short  ${"x".repeat(24)}…`,
  ]);
});

test("times are told in the unit that says most", () => {
  const now = Date.UTC(2026, 4, 1, 12) * 1000;
  assert.equal(age("2026-05-01T11:59:58.000000Z", now), "2s");
  assert.equal(age("2026-05-01T10:30:00.000000Z", now), "1h");
  assert.equal(age("2026-04-20T12:00:00.000000Z", now), "11d");
  assert.equal(age("2026-05-01T12:00:09.000000Z", now), "0s");
  assert.equal(age(null, now), "-");
  assert.equal(elapsed("2026-05-01T12:00:00.000000Z", "2026-05-01T12:00:01.204999Z"), "1.205s");
  assert.equal(elapsed("2026-05-01T12:00:00.000000Z", null), "-");
});

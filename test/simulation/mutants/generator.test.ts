import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits } from "./edit.ts";
import { generate } from "./generator.ts";

const idsOf = (source: string): string[] => generate("a.ts", source).map(({ id }) => id);

const mutantsOf = (source: string): string[] =>
  generate("a.ts", source).map(({ edits }) => applyEdits(source, edits).replaceAll(/\s+/g, " ").trim());

test("an early exit goes, whether it returns, throws, or goes on with the next", () => {
  assert.deepEqual(mutantsOf("function f(a: string | null) { if (a === null) return; g(a); }"), [
    "function f(a: string | null) { {} g(a); }",
  ]);
  assert.deepEqual(idsOf("function f(a) { if (a) { log(); throw a; } for (;;) if (b) continue; }"), [
    "a.ts f guard: a",
    "a.ts f guard: b",
  ]);
});

test("a deed under a condition is done always", () => {
  assert.deepEqual(mutantsOf("if (a === 1) b(); else c();"), ["if (true) b(); else c();"]);
  assert.deepEqual(mutantsOf("if (a) return_(); "), ["if (true) return_();"]);
});

test("each operand is replaced by the value that says nothing", () => {
  assert.deepEqual(
    mutantsOf("const f = (a: A) => (a.b as number) > 1 && !a.c && d;"),
    [
      "const f = (a: A) => true && !a.c && d;",
      "const f = (a: A) => (a.b as number) > 1 && true && d;",
      "const f = (a: A) => (a.b as number) > 1 && !a.c && true;",
    ].toSorted((x, y) => mutantOrder(x) - mutantOrder(y)),
  );
  assert.deepEqual(mutantsOf("x = a || (b && c);").toSorted(), [
    "x = a || (b && true);",
    "x = a || (false);",
    "x = a || (true && c);",
    "x = false || (b && c);",
  ]);
  assert.deepEqual(mutantsOf("x = a ?? b;"), []);
});

/** The last operand of a chain is met first. */
function mutantOrder(text: string): number {
  return text.endsWith("true;") ? 0 : text.indexOf("true");
}

test("a condition of a statement is made true, its parameters stay", () => {
  const source =
    'tx.run("update t set a = ? where id = ? and (b is null or c in (select c from d where e = ?))", 1, 2, 3);';
  assert.deepEqual(mutantsOf(source), [
    'tx.run("update t set a = ? where id = ? and (b is null or c in (select c from d where ((e = ?) or true)))", 1, 2, 3);',
    'tx.run("update t set a = ? where ((id = ?) or true) and (b is null or c in (select c from d where e = ?))", 1, 2, 3);',
    'tx.run("update t set a = ? where id = ? and (((b is null or c in (select c from d where e = ?))) or true)", 1, 2, 3);',
  ]);
});

test("what follows a condition is none of it, nor is the `and` of a `between`", () => {
  const source = "sql = `select a from b where c between ? and ? and d = 1 order by e limit ?`;";
  assert.deepEqual(idsOf(source), ["a.ts module conjunct: c between ? and ?", "a.ts module conjunct: d = 1"]);
});

test("a statement that goes on with another's condition has its own", () => {
  assert.deepEqual(idsOf("tx.get(`${KNOWN} and name = ? order by id`);"), ["a.ts module conjunct: name = ?"]);
});

test("a text that is no statement has no conditions", () => {
  assert.deepEqual(idsOf('say("Where is it and what is it?"); say(`a and b = ${c}`);'), []);
});

test("a name says where a predicate is, not in which line; equal ones are counted", () => {
  const source = "class A { b(): void { const c = (d) => { if (e) return; if (e) return; }; } }";
  const expected = ["a.ts A.b.c guard: e", "a.ts A.b.c guard: e (2)"];
  assert.deepEqual(idsOf(source), expected);
  assert.deepEqual(idsOf(`\n\n// more\n${source}`), expected);
});

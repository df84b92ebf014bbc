import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluated, failed, refused, table } from "./expression.suite.ts";

test("macros run over lists and over the keys of maps", () => {
  table(
    [
      ["input.words.map(w, w + w)", '["aa","bb","cc"]'],
      ['input.words.map(w, w != "b", w)', '["a","c"]'],
      ['input.words.filter(w, w > "a")', '["b","c"]'],
      ["input.map.map(k, k)", '["k","odd key"]'],
      ['input.words.all(w, w < "d")', "true"],
      ['input.words.all(w, w < "c")', "false"],
      ['input.words.exists(w, w == "c")', "true"],
      ["input.empty.exists(w, true)", "false"],
      ["input.empty.all(w, false)", "true"],
      ['input.words.exists_one(w, w >= "c")', "true"],
      ['input.words.exists_one(w, w >= "b")', "false"],
      // One member with the answer outweighs the failure of another.
      ["input.list.exists(x, x > 2)", "true"],
      ["input.list.all(x, x > 1)", "false"],
      ["input.words.map(a, input.words.map(b, a + b))[1][2]", '"bc"'],
      ["cel.bind(t, input.n * 2, t + t)", "20"],
      ["input.words.map(w, [1, 2.0, w])[0]", '[1,2.0,"a"]'],
      ["input.list.filter(x, dyn(x) == 2)", "[2]"],
      ["has(input.url) && !has(input.nope)", "true"],
      ["has(input.nothing.deep)", "false"],
    ],
    evaluated,
  );
  table(
    [
      ["input.list.all(x, x > 0)", '">" is not defined for map and int'],
      ["input.list.exists(x, x > 9)", '">" is not defined for map and int'],
      ["input.list.exists_one(x, x > 9)", '">" is not defined for map and int'],
      ["input.words.filter(w, w)", "the condition of filter() must be a bool, not string"],
      ["input.n.map(x, x)", "map() needs a list or a map, not int"],
      ["has(input.n.x)", "has() needs a map, not int"],
    ],
    failed,
  );
  table(
    [
      ["input.words.map(w)", "map() takes 2 or 3 arguments, not 1"],
      ["input.words.all(w, true, true)", "all() takes 2 arguments, not 3"],
      ["input.words.map(1, 2)", "map(var, transform) invalid predicate iteration variable"],
      ["input.words.map(item, item)", '"item" has a meaning already; choose another name'],
      ["input.words.map(input, 1)", '"input" has a meaning already; choose another name'],
      ["has(input)", "has() asks for a field, as in has(input.url)"],
      ["has(steps.fetch.result)", "this field always exists; compare it with null instead"],
      ["cel.bind(a, 1)", "cel.bind() takes a name, a value and an expression"],
    ],
    refused,
  );
});

test("text functions count characters, not UTF-16 units", () => {
  table(
    [
      ["size(input.url)", "11"],
      ["input.url.size()", "11"],
      ["size(input.list) + size(input.map)", "6"],
      ["input.url.substring(10)", '"😀"'],
      ["input.url.substring(9, 10)", '"é"'],
      ['input.url.indexOf("😀")', "10"],
      ['input.url.indexOf("/", 6)', "6"],
      ['input.url.indexOf("nope")', "-1"],
      ['input.url.lastIndexOf("/")', "8"],
      ['input.url.lastIndexOf("/", 7)', "6"],
      ['"a😀b".split("")', '["a","😀","b"]'],
      ['"a,b,c".split(",")', '["a","b","c"]'],
      ['"a,b,c".split(",", 2)', '["a","b,c"]'],
      ['"a,b,c".split(",", 0)', "[]"],
      ['"a,b,c".split(",", -1)', '["a","b","c"]'],
      ['"a,b,c".replace(",", "; ")', '"a; b; c"'],
      ['input.words.join("-")', '"a-b-c"'],
      ["input.words.join()", '"abc"'],
      ['"aBc".upperAscii() + "aBc".lowerAscii()', '"ABCabc"'],
      ['"aÄz".upperAscii() + "AÄZ".lowerAscii()', '"AÄZaÄz"'],
      ['"  x ".trim()', '"x"'],
      ['input.url.startsWith("http:") && input.url.endsWith("😀") && input.url.contains("x/")', "true"],
    ],
    evaluated,
  );
  table(
    [
      ["input.url.substring(12)", "position 12 is outside a string of 11 characters"],
      ["input.url.substring(-1)", "position -1 is outside a string of 11 characters"],
      ["input.url.substring(3, 2)", "substring(): the end is before the start"],
      ["input.url.substring(input.url)", "a position must be an int, not string"],
      ["input.url.contains(input.n)", "a string is needed here, not int"],
      ['input.url.replace("", "x")', "replace(): the text to replace is empty"],
      ['input.url.split(",", input.half)', "split(): the limit must be an int"],
      ["input.n.trim()", "trim() is not defined for int"],
      ["input.list.join()", "join() needs a list of strings"],
      ["input.words.join(input.n)", "join() needs a string between the elements"],
      ["size(input.n)", "size() is not defined for int"],
    ],
    failed,
  );
});

test("values are converted where that has one meaning", () => {
  table(
    [
      ['int("42") + int(2.9) + int(-2.9) + int(input.n)', "47"],
      ['double("1.5e1") + double(".5") + double(input.n)', "20.5"],
      ["string(input.n) + string(input.half) + string(true) + string(2.0)", '"50.5true2"'],
      ["dyn(input.n)", "5"],
      ...["true", "1", "t", "TRUE", "True"].map((text) => [`bool("${text}")`, "true"] as const),
      ...["false", "0", "f", "FALSE", "False"].map((text) => [`bool("${text}")`, "false"] as const),
      ["bool(input.yes)", "true"],
    ],
    evaluated,
  );
  table(
    [
      ['int("4x")', 'int() cannot read "4x"'],
      ['int("99999999999999999999")', 'int() cannot read "99999999999999999999"'],
      ['int("9999999999999999999")', "int(): the number does not fit 64 bits"],
      ["int(1e300)", "int(): the number does not fit 64 bits"],
      ["int(input.enormous)", "int() needs a finite number"],
      ["int(input.list)", "int() cannot read list"],
      ['double("0x1")', 'double() cannot read "0x1"'],
      ["double(input.nothing)", "double() cannot read null"],
      ['bool("maybe")', 'bool() cannot read "maybe"'],
      [`bool("${"x".repeat(41)}")`, "bool() cannot read string"],
      ["string(input.list)", "string() is not defined for list"],
      ["string(input.nothing)", "string() is not defined for null"],
    ],
    failed,
  );
});

test("patterns run on RE2 and are checked when the expression is compiled", () => {
  assert.equal(evaluated('re(input.url, "^http://[a-z]/")'), "true");
  assert.equal(evaluated('re(input.url, "^https:")'), "false");
  assert.equal(failed('re(input.n, "5")'), "re() needs a string, not int");
  table(
    [
      ['input.url.matches("x")', "matches() is not available: write re(text, pattern), which cannot run away"],
      ["re(input.url)", 're() takes a text and a pattern in quotes, as in re(input.url, "^https:")'],
      ["re(input.url, input.url)", 're() takes a text and a pattern in quotes, as in re(input.url, "^https:")'],
      ['re(input.url, "(")', "not a pattern of RE2: error parsing regexp: missing closing ): `(`"],
      [`re("a", "${"a".repeat(501)}")`, "the pattern has more than 500 characters"],
      ['re("a", "((a?){100}){10}")', "the pattern compiles to 4022 instructions, at most 2000 are allowed"],
    ],
    refused,
  );
});

test("map literals take string keys that are no prototype's", () => {
  assert.equal(evaluated('{"a": {"b": input.n}, "c": []}'), '{"a":{"b":5},"c":[]}');
  assert.equal(failed("{input.n: 1}"), "the keys of a map must be strings");
  assert.equal(failed('{"__proto__": 1}'), 'the key "__proto__" is not allowed');
  assert.equal(failed('{input.words[0] + "": 1, "constr" + "uctor": 2}'), 'the key "constructor" is not allowed');
});

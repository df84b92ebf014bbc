import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluated, failed, refusal, refused, scope, table } from "./expression.suite.ts";
import { compileTemplate } from "./template.ts";

test("whole JSON numbers are ints, others doubles, and both mix in arithmetic", () => {
  table(
    [
      ["input.n + 1", "6"],
      ["input.n - 7", "-2"],
      ["input.n * 2", "10"],
      ["7 / 2", "3"],
      ["-7 % 3", "-1"],
      ["7.0 / 2", "3.5"],
      ["input.price * 1.5", "150.0"],
      ["input.half + input.half", "1.0"],
      ["1.5 - 0.5", "1.0"],
      ["-input.n", "-5"],
      ["-input.half", "-0.5"],
      ["0.0 * -1", "-0.0"],
      ["2.5 + input.n", "7.5"],
      ["1e300 * 1e8", "1e+308"],
    ],
    evaluated,
  );
});

test("arithmetic that has no answer fails with its reason", () => {
  table(
    [
      ["input.n / 0", "division by zero"],
      ["input.n % 0", "modulo by zero"],
      ["9223372036854775807 + input.n", "integer overflow: the result does not fit 64 bits"],
      ["input.huge * 2", "integer overflow: the result does not fit 64 bits"],
      ["-(-input.n * 9223372036854775807)", "integer overflow: the result does not fit 64 bits"],
      ["input.half / 0.0", "yields Infinity, which JSON cannot hold"],
      ["input.half % input.n", '"%" is not defined for double and int'],
      ["input.url + input.n", '"+" is not defined for string and int'],
      ["input.list - input.words", '"-" is not defined for list and list'],
      ["-input.url", '"-" is not defined for string'],
      ["input.url < input.n", '"<" is not defined for string and int'],
      ["input.nothing + 1", '"+" is not defined for null and int'],
      ["input.map + input.map", '"+" is not defined for map and map'],
      ["input.yes + 1", '"+" is not defined for bool and int'],
    ],
    failed,
  );
});

test("numbers that a double cannot hold pass through unchanged, and are computed with exactly while they fit", () => {
  table(
    [
      ["input.huge", "12345678901234567890123"],
      ["[input.huge, input.point]", "[12345678901234567890123,1.0]"],
      ["input.wide + 0", "9007199254740993"],
      ["input.wide == 9007199254740993", "true"],
      ["input.wide == 9007199254740992", "false"],
      ["input.huge == input.huge + 0.0", "false"],
      ["input.enormous", "1e400"],
      ["input.enormous > 1", "true"],
      ["input.point + 1", "2.0"],
      ["string(input.huge)", '"12345678901234567890123"'],
      ["string(input.point)", '"1.0"'],
      ["9223372036854775807", "9223372036854775807"],
    ],
    evaluated,
  );
});

test("comparison is within types, equality across them", () => {
  table(
    [
      ["1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", "true"],
      ["1 < 1.5", "true"],
      ['"a" < "b" && "b" >= "a" && !("b" <= "a") && !("a" > "b")', "true"],
      ["false < true", "true"],
      ["input.n == 5.0", "true"],
      ["input.n != input.url", "true"],
      ["input.nothing == null", "true"],
      ['input.list == [1, 2, 3, {"a": "b"}]', "true"],
      ['input.list == [1, 2, 3, {"a": "c"}]', "false"],
      ["input.list == [1]", "false"],
      ['input.map == {"k": 1, "odd key": 2.0}', "true"],
      ['input.map == {"k": 1, "other": 2}', "false"],
      ['input.map == {"k": 1}', "false"],
      ["dyn(0.0) / 0.0 == dyn(0.0) / 0.0", "false"],
      ["input.map == input.list", "false"],
      ['"b" in input.words', "true"],
      ['"z" in input.words', "false"],
      ['"k" in input.map', "true"],
      ["input.n in input.map", "false"],
    ],
    evaluated,
  );
  assert.equal(failed('"a" in input.url'), '"in" is not defined for string and string');
});

test("members are read by name and position, and a missing one is an error that names the nearest", () => {
  table(
    [
      ["input.list[3].a", '"b"'],
      ['input.map["odd key"]', "2"],
      ["input.words[2]", '"c"'],
      ["input.list", '[1,2,3,{"a":"b"}]'],
      ["input", JSON.stringify(scope.input)],
    ],
    evaluated,
  );
  table(
    [
      ["input.pirce", 'no such key: "pirce"; did you mean "price"?'],
      ["input.zzzzzzzz", 'no such key: "zzzzzzzz"'],
      ["input.constructor", 'no such key: "constructor"'],
      ["input.words[3]", "index 3 is outside a list of 3"],
      ["input.words[-1]", "index -1 is outside a list of 3"],
      ["input.words[input.url]", "a list is read by an int, not by string"],
      ["input.map[input.n]", "a map is read by a string, not by int"],
      ["input.n[0]", "cannot index int"],
      ["input.nothing.x", 'cannot read "x" of null'],
      ["input.words.x", 'cannot read "x" of list'],
    ],
    failed,
  );
});

test("steps, session and trigger are read by their own names", () => {
  table(
    [
      ["steps.fetch.result.text", '"hello"'],
      ['steps["fetch"]["result"]', '{"text":"hello","parts":["p","q"]}'],
      ['steps["publish-ok"].result', "null"],
      ['steps["publish-ok"].error.message', '"boom"'],
      ['steps["publish-ok"].status', '"failed"'],
      ["steps.undone.result", "7"],
      ["steps.unknown.result", "null"],
      ["steps.unknown.status", '"pending"'],
      ["steps.fetch.error", "null"],
      ["session.id", '"s-1"'],
      ["session.labels.env", '"prod"'],
      ['session["id"]', '"s-1"'],
      ["trigger.agentId", "null"],
    ],
    evaluated,
  );
  table(
    [
      ["steps", 'name one step, as in steps.fetch.result or steps["publish-ok"].result'],
      ["steps.fetch", 'name one step, as in steps.fetch.result or steps["publish-ok"].result'],
      [
        "steps.fetch.reslut",
        'a step has result, results, status, error and errors, not "reslut"; did you mean "result"?',
      ],
      ["steps.fetch[input.n]", "a step has result, results, status, error and errors, not a computed field"],
      ["steps[input.url].result", "a step must be named literally, not computed"],
      ["session", "write session.id or session.labels"],
      ["session.secret", "write session.id or session.labels"],
      ["trigger.user", "write trigger.agentId"],
      ["inptu.url", 'unknown name "inptu"; did you mean "input"?'],
      ["int", 'unknown name "int"'],
    ],
    refused,
  );
});

test("conditions choose, and either side of || and && may decide over a failure of the other", () => {
  table(
    [
      ["input.yes ? 1 : 2", "1"],
      ["!input.yes ? 1 : 2", "2"],
      ["input.missing || true", "true"],
      ["true || input.missing", "true"],
      ["input.missing && false", "false"],
      ["false && input.missing", "false"],
      ["input.yes && input.n == 5", "true"],
      ["false || input.yes", "true"],
      ["input.n == 4 || input.n == 5", "true"],
    ],
    evaluated,
  );
  table(
    [
      ["input.missing || false", 'no such key: "missing"'],
      ["input.n ? 1 : 2", "the condition before ? must be a bool, not int"],
      ["!input.n", "what follows ! must be a bool, not int"],
      ["input.n && true", "each side of && must be a bool, not int"],
      ["true && input.url", "each side of && must be a bool, not string"],
    ],
    failed,
  );
  assert.match(refused('input.yes ? 1 : "a"'), /same type.*wrap one in dyn\(\.\.\.\) to mix types/);
  assert.equal(evaluated('input.yes ? dyn("a") : null'), '"a"');
});

test("what is no expression of the language is refused before anything runs", () => {
  table(
    [
      ["1 +", "the expression ends too early"],
      ["1 2", "Unexpected character: '2'"],
      ['"a', '"${{" is never closed by "}}"; for the characters themselves write ${{ "${{" }}'],
      ["foo(1)", "unknown function foo()"],
      ["siez(input)", 'unknown function siez(); did you mean "size"?'],
      ["input.url.startWith(1)", 'unknown method startWith(); did you mean "startsWith"?'],
      ['timestamp("2020-01-01T00:00:00Z")', "unknown function timestamp()"],
      ["size(1, 2)", "size() takes 1 argument, not 2"],
      ['"a".indexOf()', "indexOf() takes 1 or 2 arguments, not 0"],
      ['"a" - 1', "no such overload: string - int"],
      ['b"a"', "bytes and unsigned literals are not part of this language"],
      ["1u", "bytes and unsigned literals are not part of this language"],
      ["9223372036854775809", "the integer does not fit 64 bits"],
      ['"\\000"', "a string holds a NUL character or a lone surrogate"],
      ["(".repeat(70) + ")".repeat(70), "nests deeper than 64 levels"],
      [`1${"+1".repeat(2000)}`, "has more than 1000 parts"],
      ["1".padEnd(5000), "has more than 4096 characters"],
      ["input.?x", "Expected IDENTIFIER, got QUESTION"],
      ["if", "Reserved identifier: if"],
    ],
    refused,
  );
});

test("a refusal quotes the expression, shortened, and gives the column", () => {
  const whole = (source: string) => refusal(() => compileTemplate({ p: [source] }), "workflow_invalid");
  assert.equal(whole("a ${{ foo }}"), 'p[0]: unknown name "foo" (in ${{ foo }}, column 1)');
  assert.equal(whole("${{   1 + foo}}"), 'p[0]: unknown name "foo" (in ${{ 1 + foo }}, column 5)');
  assert.match(whole(`\${{ foo${" + 1".repeat(60)} }}`), /\(in \$\{\{ foo( \+ 1)+[ +]*\.\.\. \}\}, column 1\)$/);
});

test("types that only the data can tell are left to the evaluation", () => {
  assert.equal(evaluated("[].map(v, v + 2)"), "[]");
  assert.equal(evaluated("([] + input.words).map(v, v + v)[0]"), '"aa"');
  assert.equal(failed("([] + input.words).map(v, v + 2)"), '"+" is not defined for string and int');
});

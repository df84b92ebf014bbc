import assert from "node:assert/strict";
import { test } from "node:test";
import { suggestion } from "./suggestion.ts";

test("the nearest known name is suggested, when there is one", () => {
  assert.equal(suggestion("timout", ["deadline", "timeout"]), '; did you mean "timeout"?');
  assert.equal(suggestion("colour", ["deadline", "timeout"]), "");
  assert.equal(suggestion("timeout", []), "");
});

test("names too short, too long or the same are not compared, and of many names only some", () => {
  assert.equal(suggestion("ab", ["abc"]), "");
  assert.equal(suggestion("x".repeat(65), ["x".repeat(64)]), "");
  assert.equal(suggestion("same", ["same"]), "");
  const many = Array.from({ length: 100 }, (_, at) => `other-${at}`);
  assert.equal(suggestion("timeoutt", [...many, "timeout"]), "");
});

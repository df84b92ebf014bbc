import assert from "node:assert/strict";
import { test } from "node:test";
import { beginning, excerpt } from "./excerpt.ts";

test("a text is cut at its bound, never into half a character", () => {
  assert.equal(beginning("abc", 3), "abc");
  assert.equal(beginning("abcd", 3), "abc");
  assert.equal(beginning("ab\u{1f600}", 3), "ab\ufffd");
  assert.equal(beginning("ab\u{1f600}", 4), "ab\u{1f600}");
});

test("what the platform takes in no text is replaced", () => {
  assert.equal(beginning("a\0b\ud800", 9), "a\ufffdb\ufffd");
});

test("an excerpt says that something was cut off", () => {
  assert.equal(excerpt("abc", 3), "abc");
  assert.equal(excerpt("abcd", 3), "abc...");
  assert.equal(excerpt("ab\u{1f600}d", 3), "ab\ufffd...");
});

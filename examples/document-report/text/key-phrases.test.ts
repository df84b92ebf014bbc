import assert from "node:assert/strict";
import { test } from "node:test";
import { keyPhrasesOf } from "./key-phrases.ts";

function phrasesOf(...sentences: string[]) {
  return keyPhrasesOf([{ path: "a.md", sentences: sentences.map((text, i) => ({ line: i + 1, text })) }]);
}

test("phrases are cut by stop words, punctuation and code, and weigh the sum of degree over frequency", () => {
  const { phrases, candidates } = phrasesOf(
    "The fencing token protects a task, and a fencing token is `secret stuff` new.",
  );
  assert.equal(candidates, 3);
  // fencing: in phrases of 3 and 2 words, token likewise, protects: 3; times ln(1 + mentions).
  assert.deepEqual(phrases, [
    { phrase: "fencing token protects", mentions: 1, score: 5.5, first: "a.md:1" },
    { phrase: "task", mentions: 1, score: 0.7, first: "a.md:1" },
  ]);
});

test("singular and plural are one phrase, written as it mostly is", () => {
  const { phrases } = phrasesOf("See fencing tokens.", "A fencing token is given.", "These are the fencing tokens.");
  assert.deepEqual(
    phrases.map(({ phrase, mentions, first }) => [phrase, mentions, first]),
    [["fencing tokens", 3, "a.md:1"]],
  );
});

test("in a long text, what is mentioned once is no key phrase", () => {
  const filler = Array.from({ length: 30 }, () => "The durable workflow is here.");
  const { phrases } = phrasesOf(...filler, "A singular curiosity is there.");
  assert.deepEqual(
    phrases.map(({ phrase, mentions }) => [phrase, mentions]),
    [["durable workflow", 30]],
  );
});

test("nothing but stop words gives nothing", () => {
  assert.deepEqual(phrasesOf("It is what it is."), { candidates: 0, phrases: [] });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { sentencesOf } from "./sentences.ts";

function texts(prose: string): string[] {
  return sentencesOf(prose, 1).map(({ text }) => text);
}

test("sentences end at full stops, question and exclamation marks", () => {
  assert.deepEqual(texts("It works. Does it? Yes! (It does.) Good"), [
    "It works.",
    "Does it?",
    "Yes!",
    "(It does.)",
    "Good",
  ]);
});

test("abbreviations, initials, numbers and code spans do not end one", () => {
  for (const sentence of [
    "Use a database, e.g. SQLite, or none.",
    "Dr. Smith met J. Doe at 3.14 o'clock.",
    "Files such as a.ts, b.ts etc. are read.",
    "Run `npm start. Now` and wait.",
    "It is version 1.2.3 of the ... thing.",
  ]) {
    assert.deepEqual(texts(sentence), [sentence]);
  }
});

test("an abbreviation that can end a sentence does so before a capital", () => {
  assert.deepEqual(texts("Apples, pears etc. Then nuts."), ["Apples, pears etc.", "Then nuts."]);
});

test("each sentence knows its line", () => {
  assert.deepEqual(sentencesOf("One\nis long. Two.\n\nThree.", 10), [
    { line: 10, text: "One is long." },
    { line: 11, text: "Two." },
    { line: 13, text: "Three." },
  ]);
});

test("text without a word is no sentence", () => {
  assert.deepEqual(texts(" - ... !"), []);
});

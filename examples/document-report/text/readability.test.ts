import assert from "node:assert/strict";
import { test } from "node:test";
import { readabilityOf } from "./readability.ts";
import { syllablesOf } from "./syllables.ts";
import { wordsOf } from "./words.ts";

const KNOWN: Record<number, string> = {
  1: "a the cat loved jumped whole strength code eye type queue makes hours please breathe there task runs",
  2: `table water being quiet people boxes wanted started simple agent server workflow payload timeout token changes
    reply idle purpose moment lonely careful`,
  3: `example radio area idea document various potato beautiful material manual attempted syllable
    following database energy easier important delivered`,
  4: "experience information reality security automatic",
  5: "readability university opportunity",
};

test("syllables are right for at least nine in ten of known words", () => {
  const words = Object.entries(KNOWN).flatMap(([n, list]) =>
    list.split(/\s+/).map((word) => [word, Number(n)] as const),
  );
  const wrong = words.filter(([word, n]) => word !== "" && syllablesOf(word) !== n);
  assert.ok(
    wrong.length <= words.length / 10,
    `wrong: ${wrong.map(([word]) => `${word}=${syllablesOf(word)}`).join(", ")}`,
  );
});

test("hyphenated words, numbers and accents are counted too", () => {
  assert.equal(syllablesOf("well-known"), 2);
  assert.equal(syllablesOf("2026"), 1);
  assert.equal(syllablesOf("café"), 2);
});

test("words are told apart, a code span being one", () => {
  assert.deepEqual(wordsOf("Don't run `npm start -- --once` twice: it's re-run (3.5 times)."), [
    "Don't",
    "run",
    "code",
    "twice",
    "it's",
    "re-run",
    "3.5",
    "times",
  ]);
});

test("the measures follow Flesch's formulas", () => {
  const { overall } = readabilityOf([{ path: "a.md", sentences: [{ line: 1, text: "The cat sat on the mat." }] }]);
  // 6 words, 1 sentence, 6 syllables: 206.835 - 6.09 - 84.6 and 2.34 + 11.8 - 15.59.
  assert.deepEqual(overall, { words: 6, sentences: 1, wordsPerSentence: 6, ease: 116.1, grade: -1.4 });
});

test("long sentences are listed longest first with their place", () => {
  const long = (words: number) => Array.from({ length: words }, () => "word").join(" ");
  const { longSentences, longest } = readabilityOf([
    {
      path: "a.md",
      sentences: [
        { line: 3, text: long(31) },
        { line: 9, text: long(30) },
        { line: 12, text: long(50) },
      ],
    },
  ]);
  assert.equal(longSentences, 2);
  assert.deepEqual(
    longest.map(({ path, line, words }) => [path, line, words]),
    [
      ["a.md", 12, 50],
      ["a.md", 3, 31],
    ],
  );
  assert.ok(longest.every(({ text }) => text.length <= 164 && text.endsWith("...") === text.length > 160));
});

test("a file without running text has no measure", () => {
  const { overall, files } = readabilityOf([{ path: "a.md", sentences: [] }]);
  assert.equal(overall.ease, null);
  assert.deepEqual(files, [{ path: "a.md", words: 0, sentences: 0, wordsPerSentence: null, ease: null, grade: null }]);
});

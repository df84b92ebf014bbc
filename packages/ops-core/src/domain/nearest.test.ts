import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nearest } from "./nearest.ts";

test("a slip of the pen is found, whatever the case", () => {
  assert.deepEqual(nearest("text.scores", ["text.score", "image.crop"]), ["text.score"]);
  assert.deepEqual(nearest("WEB.FETCH", ["web.fetch"]), ["web.fetch"]);
  assert.deepEqual(nearest("fetsh", ["fetch", "patch"]), ["fetch"]);
});

test("words that share a part are near, those that share only a short one are not", () => {
  assert.deepEqual(nearest("text.summarize.long", ["text.translate"]), ["text.translate"]);
  assert.deepEqual(nearest("a.summarize", ["a.translate"]), []);
});

test("the best come first, equals by name, three at most", () => {
  assert.deepEqual(nearest("read", ["reads", "bead", "read2", "lead", "head"]), ["bead", "head", "lead"]);
  assert.deepEqual(nearest("abcdef", ["abcdef1", "abcdef"]), ["abcdef", "abcdef1"]);
});

test("nothing is near to nothing", () => {
  assert.deepEqual(nearest("anything", []), []);
  assert.deepEqual(nearest("translate", ["crop", "resize"]), []);
});

test("a word is nearest to itself, and what is answered is among what is known", () => {
  const words = fc.array(fc.string({ maxLength: 12 }), { maxLength: 8 });
  fc.assert(
    fc.property(words, fc.string({ maxLength: 12 }), (known, wanted) => {
      const found = nearest(wanted, known);
      assert.ok(found.length <= 3 && found.every((word) => known.includes(word)));
      const self = nearest(wanted, [...known, wanted]);
      assert.equal(self[0]?.toLowerCase(), wanted.toLowerCase());
    }),
  );
});

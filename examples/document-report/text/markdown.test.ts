import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Block, blocksOf } from "./markdown.ts";

function shape(blocks: readonly Block[]): (string | number)[][] {
  return blocks.map(({ kind, line, text, level }) => [kind, line, text, ...(level === undefined ? [] : [level])]);
}

test("headings, paragraphs, lists, quotes and code are told apart, each with its line", () => {
  const source = [
    "# Title #",
    "",
    "First line",
    "second line",
    "",
    "- one",
    "  goes on",
    "- two",
    "",
    "> quoted",
    "> more",
    "",
    "```ts",
    "# no heading",
    "```",
    "Setext",
    "------",
    "last",
  ].join("\n");
  assert.deepEqual(shape(blocksOf(source)), [
    ["heading", 1, "Title", 1],
    ["paragraph", 3, "First line\nsecond line"],
    ["item", 6, "one\n  goes on"],
    ["item", 8, "two"],
    ["quote", 10, "quoted\nmore"],
    ["code", 13, "```ts\n# no heading\n```"],
    ["heading", 16, "Setext", 2],
    ["paragraph", 18, "last"],
  ]);
});

test("front matter, comments, rules and link definitions are no text", () => {
  const source = "---\ntitle: x\n---\n<!-- one\ntwo -->\n***\n[ref]: http://h\ntext";
  assert.deepEqual(shape(blocksOf(source)), [["paragraph", 8, "text"]]);
});

test("tables and HTML blocks are not taken for paragraphs", () => {
  const source = "| a | b |\n|---|--:|\n| 1 | 2 |\n\n<details>\nsecret\n</details>\n\na | b is no table";
  assert.deepEqual(
    blocksOf(source).map(({ kind, line }) => [kind, line]),
    [
      ["table", 1],
      ["html", 5],
      ["paragraph", 9],
    ],
  );
});

test("indented lines are code after a paragraph, and part of a list within one", () => {
  assert.deepEqual(
    blocksOf("text\n\n    code\n\n- item\n\n    more of the item").map(({ kind }) => kind),
    ["paragraph", "code", "item", "paragraph"],
  );
});

test("a fence that is never closed runs to the end, and a shorter one inside does not close it", () => {
  assert.deepEqual(shape(blocksOf("````\n```\nx")), [["code", 1, "````\n```\nx"]]);
});

test("any text is read to its end, and each block stands where it says", () => {
  const line = fc.constantFrom(
    "# h",
    "text",
    "",
    "- i",
    "  more",
    "> q",
    "```",
    "~~~",
    "| a |",
    "|--|",
    "---",
    "    c",
    "<b>",
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      let last = 0;
      for (const block of blocksOf(lines.join("\n"))) {
        assert.ok(block.line > last && block.line <= lines.length);
        last = block.line;
      }
    }),
  );
});

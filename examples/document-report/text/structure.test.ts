import assert from "node:assert/strict";
import { test } from "node:test";
import { splitFiles } from "./split.ts";
import { structureOf } from "./structure.ts";

function problemsIn(...lines: string[]): string[] {
  const { outlines } = splitFiles([{ path: "a.md", text: lines.join("\n") }]);
  return structureOf(outlines).findings.map(({ line, problem }) => `${line} ${problem}`);
}

test("a file is counted by lines, words, sentences, sections and code", () => {
  const text = "# Title\n\nTwo words. And three more.\n\n## Code\n\n```\nx\ny\n```\n\n| a |\n|---|\n| 1 |\n";
  const { prose, outlines } = splitFiles([{ path: "a.md", text }]);
  assert.deepEqual(prose, [
    {
      path: "a.md",
      sentences: [
        { line: 3, text: "Two words." },
        { line: 3, text: "And three more." },
      ],
    },
  ]);
  assert.deepEqual(outlines[0]?.sections, [
    { line: 1, level: 1, heading: "Title", words: 5, empty: false },
    { line: 5, level: 2, heading: "Code", words: 0, empty: false },
  ]);
  assert.deepEqual(structureOf(outlines), {
    files: 1,
    lines: 14,
    words: 5,
    sentences: 2,
    paragraphs: 1,
    sections: 2,
    codeBlocks: 1,
    codeShare: 0.286,
    tables: 1,
    findings: [],
  });
});

test("missing and second titles are found", () => {
  assert.deepEqual(problemsIn("## Only", "text"), ["1 has no title (a heading of level 1)"]);
  assert.deepEqual(problemsIn("# One", "text", "# Two", "text"), ['3 is a second title: "Two"']);
});

test("a jump over a level, an empty section and a repeated heading are found where they are", () => {
  assert.deepEqual(problemsIn("# T", "text", "### Deep", "text"), ['3 jumps from level 1 to 3: "Deep"']);
  assert.deepEqual(problemsIn("# T", "## Empty", "## Next", "text"), ['2 has nothing under its heading: "Empty"']);
  assert.deepEqual(problemsIn("# T", "## A", "x y", "## a", "x y"), ['4 repeats the heading "a"']);
});

test("the same heading under different parents is no repetition", () => {
  assert.deepEqual(problemsIn("# T", "## A", "### Use", "x", "## B", "### Use", "x"), []);
});

test("a section of more than 500 words is found", () => {
  const words = Array.from({ length: 501 }, () => "word").join(" ");
  assert.deepEqual(problemsIn("# T", words), ['1 is long, 501 words under one heading: "T"']);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyPhrasesOf } from "./key-phrases.ts";
import type { LinksResult } from "./links.ts";
import { readabilityOf } from "./readability.ts";
import { reportOf } from "./report.ts";
import { paragraph, table } from "./report-text.ts";
import { splitFiles } from "./split.ts";
import { structureOf } from "./structure.ts";

const NO_LINKS: LinksResult = { links: 0, followed: 0, external: 0, outside: 0, brokenCount: 0, broken: [] };

function reportOn(files: { path: string; text: string }[], links: LinksResult = NO_LINKS): string {
  const { prose, outlines } = splitFiles(files);
  return reportOf({
    structure: { result: structureOf(outlines), error: null },
    readability: { result: readabilityOf(prose), error: null },
    keyPhrases: { result: keyPhrasesOf(prose), error: null },
    links: { result: links, error: null },
  });
}

test("the report says what was counted and found, in sentences a person can check", () => {
  const text = "# Title\n\nThe fencing token protects a task. The fencing token protects.\n\n## Empty\n";
  const broken = [{ path: "a.md", line: 3, target: "gone.md", reason: "there is no such file" }];
  const report = reportOn([{ path: "a.md", text }], {
    ...NO_LINKS,
    links: 2,
    followed: 1,
    external: 1,
    brokenCount: 1,
    broken,
  });
  for (const expected of [
    "1 file, 5 lines: 10 words of running text in 2 sentences and 1 paragraph",
    "2 links: 1 followed through the file tree, 1 broken; 1 to other machines (1) or out of the folder (0), not followed.",
    "- `a.md:3` to `gone.md`: there is no such file",
    '- `a.md:5` has nothing under its heading: "Empty"',
    "No sentence has more than 30 words.",
  ]) {
    assert.ok(report.replace(/\n(?: {2})?(?=\w)/g, " ").includes(expected), `${expected}\n\n${report}`);
  }
});

test("a report on an empty file makes no claims", () => {
  const report = reportOn([{ path: "a.md", text: "" }]);
  assert.match(report, /There is no running text to judge/);
  assert.match(report, /too short for key phrases/);
  assert.doesNotMatch(report, /NaN|null|undefined|Infinity/);
});

test("a branch that failed is named in its place", () => {
  const report = reportOf({
    structure: { result: structureOf([]), error: null },
    readability: { result: null, error: { message: "the agent was stopped" } },
    keyPhrases: { result: { candidates: 0, phrases: [] }, error: null },
    links: { result: null, error: null },
  });
  assert.match(report, /## Readability\n\nThis could not be looked at: the agent was stopped\.\n/);
  assert.match(report, /## Links\n\nThis could not be looked at: the step did not run\.\n/);
});

test("text is wrapped at 80 columns, a longer word stands alone", () => {
  const lines = paragraph(`${"word ".repeat(40)}${"x".repeat(100)} end`).split("\n");
  assert.ok(lines.slice(0, -2).every((line) => line.length <= 80));
  assert.deepEqual(lines.slice(-2), ["x".repeat(100), "end"]);
});

test("a table that would be too wide loses the beginning of its longest column", () => {
  const lines = table(["File", "Words"], [[`docs/${"x".repeat(90)}/end.md`, "5"]]).split("\n");
  assert.deepEqual(
    lines.map((line) => line.length),
    [80, 80, 80],
  );
  assert.match(lines[2] ?? "", /^\| \.\.\.x+\/end\.md \| {5}5 \|$/);
});

test("table columns line up, numbers to the right", () => {
  assert.equal(
    table(
      ["File", "Words"],
      [
        ["a.md", "5"],
        ["b|c.md", "1,200"],
      ],
    ),
    "| File   | Words |\n| ------ | ----: |\n| a.md   |     5 |\n| b/c.md | 1,200 |",
  );
});

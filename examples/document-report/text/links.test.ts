import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { anchorsOf, linkTargetsOf } from "./link-targets.ts";
import { checkLinks } from "./links.ts";

test("links, images, definitions and HTML are found with their lines, code is not searched", () => {
  const source = [
    'See [a](one.md "One") and ![b](two.png).',
    "`[no](code.md)` and [with `code`](three.md)",
    "```",
    "[no](fence.md)",
    "```",
    "[label]: <four five.md>",
    '<img src="six.svg"> [x][label] [y][nowhere] [wiki](a_(b).md)',
  ].join("\n");
  assert.deepEqual(linkTargetsOf(source), {
    targets: [
      { line: 1, target: "one.md" },
      { line: 1, target: "two.png" },
      { line: 2, target: "three.md" },
      { line: 6, target: "four five.md" },
      { line: 7, target: "a_(b).md" },
      { line: 7, target: "six.svg" },
    ],
    undefinedLabels: [{ line: 7, target: "nowhere" }],
  });
});

test("anchors are made as GitHub makes them", () => {
  const source = '# Hello, World!\n## The `code` & more\n## Again\n## Again\n<a id="by-hand"></a>\n\n### Ünïcode_x';
  assert.deepEqual(
    [...anchorsOf(source)],
    ["hello-world", "the-code--more", "again", "again-1", "ünïcode_x", "by-hand"],
  );
});

describe("following links through a file tree", () => {
  let root: string;

  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), "links-"));
    await mkdir(path.join(root, "docs"));
    await writeFile(path.join(root, "docs", "guide.md"), "# Guide\n\n## First steps\n");
    await writeFile(path.join(root, "docs", "a b.txt"), "text");
    await symlink(tmpdir(), path.join(root, "docs", "way-out"));
  });

  after(() => rm(root, { recursive: true }));

  async function follow(from: string, ...targets: string[]) {
    const text = `# Here\n\n${targets.map((target) => `[x](${target})`).join("\n")}`;
    return checkLinks(root, [{ path: from, text }]);
  }

  test("existing files, folders and anchors are fine, from where the file stands", async () => {
    const targets = [
      "docs/guide.md",
      "docs/guide.md#first-steps",
      "docs/",
      "docs/a%20b.txt",
      "#here",
      "/docs/guide.md",
    ];
    const result = await follow("README.md", ...targets, "docs/guide.md#L2", "docs/guide.md?plain=1");
    assert.deepEqual(result.broken, []);
    assert.equal(result.followed, 8);
    assert.deepEqual((await follow("docs/new.md", "guide.md", "../docs/guide.md#guide")).broken, []);
  });

  test("missing files and anchors are broken, each with its line and reason", async () => {
    const { broken, brokenCount } = await follow(
      "README.md",
      "docs/gone.md",
      "docs/guide.md#last-steps",
      "#nowhere",
      "",
    );
    assert.deepEqual(
      broken.map(({ line, target, reason }) => [line, target, reason]),
      [
        [3, "docs/gone.md", "there is no such file"],
        [4, "docs/guide.md#last-steps", "no heading there gives the anchor #last-steps"],
        [5, "#nowhere", "no heading there gives the anchor #nowhere"],
        [6, "", "the target is empty"],
      ],
    );
    assert.equal(brokenCount, 4);
  });

  test("other machines and other folders are left alone, also behind a symbolic link", async () => {
    const result = await follow("README.md", "https://h/x", "mailto:a@b", "../x.md", "docs/way-out/", "docs/../../y");
    assert.deepEqual([result.external, result.outside, result.followed, result.brokenCount], [2, 3, 0, 0]);
  });

  test("a target that is no valid encoding is taken as it stands", async () => {
    assert.equal((await follow("README.md", "docs/%E0%A4%A.md")).broken[0]?.reason, "there is no such file");
  });
});

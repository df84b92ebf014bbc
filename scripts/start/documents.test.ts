import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { MOST_BYTES, readDocuments } from "./documents.ts";
import { StartError } from "./start-error.ts";

describe("the documents a workflow is started with", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(path.join(tmpdir(), "documents-")));
    await mkdir(path.join(folder, "docs", "deep"), { recursive: true });
  });

  afterEach(() => rm(folder, { recursive: true }));

  const write = async (name: string, content: string | Uint8Array) => {
    await writeFile(path.join(folder, name), content);
    return path.join(folder, name);
  };

  function refusal(files: string[]): string {
    try {
      readDocuments(files, folder);
    } catch (error) {
      assert.ok(error instanceof StartError);
      return error.message;
    }
    return assert.fail("it was read");
  }

  test("a chosen file is read, and links are followed in its folder", async () => {
    const file = await write("notes.md", "# Notes\n");
    assert.deepEqual(readDocuments([file], folder), {
      root: folder,
      files: [{ path: "notes.md", text: "# Notes\n" }],
      leftOut: [],
    });
  });

  test("in a repository, links are followed in the whole of it", async () => {
    await mkdir(path.join(folder, ".git"));
    const file = await write("docs/deep/a.md", "text");
    const { root, files } = readDocuments([file], folder);
    assert.deepEqual([root, files[0]?.path], [folder, "docs/deep/a.md"]);
  });

  test("several files share the folder above them", async () => {
    const { root, files } = readDocuments([await write("docs/a.md", "a"), await write("docs/deep/b.md", "b")], folder);
    assert.equal(root, path.join(folder, "docs"));
    assert.deepEqual(
      files.map((file) => file.path),
      ["a.md", "deep/b.md"],
    );
  });

  test("without a choice, the repository's documentation is read, the readme first", async () => {
    for (const name of ["docs/z.md", "docs/a.md", "README.md", "docs/deep/b.md", "OTHER.md", "docs/x.txt"]) {
      await write(name, "text");
    }
    assert.deepEqual(
      readDocuments([], folder).files.map((file) => file.path),
      ["README.md", "docs/a.md", "docs/deep/b.md", "docs/z.md"],
    );
  });

  test("what would make the message too large is left out and named", async () => {
    await write("README.md", "x".repeat(MOST_BYTES - 1_000));
    await write("docs/a.md", "y".repeat(2_000));
    await write("docs/b.md", "z".repeat(200));
    const { files, leftOut } = readDocuments([], folder);
    assert.deepEqual([files.map((file) => file.path), leftOut], [["README.md", "docs/b.md"], ["docs/a.md"]]);
  });

  test("missing, binary, empty, huge and other things than files are refused by name", async () => {
    assert.match(refusal([path.join(folder, "gone.md")]), /There is no file .*gone\.md/);
    assert.match(refusal([path.join(folder, "docs")]), /docs is not a file/);
    assert.match(refusal([await write("empty.md", " \n")]), /empty\.md is empty/);
    assert.match(refusal([await write("nul.md", "a\0b")]), /nul\.md is not a text file in UTF-8/);
    assert.match(refusal([await write("image.md", new Uint8Array([0x89, 0x50, 0xff]))]), /not a text file in UTF-8/);
    assert.match(refusal([await write("huge.md", "x".repeat(300_000))]), /huge\.md has 300 KB; .* takes 160 KB/);
    assert.match(refusal([await write("vast.md", "x".repeat(9_000_000))]), /vast\.md has 9,000 KB/);
    assert.match(refusal([]), /no documentation/);
  });
});

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, it } from "node:test";
import { groupFiles } from "./groups.ts";

const folder = mkdtempSync(path.join(tmpdir(), "opspawn-groups-"));
after(() => rmSync(folder, { recursive: true }));

function namesOf(...files: string[]): string[] {
  return groupFiles("/checkout", files, folder).map(({ name }) => name);
}

it("puts neighbours into one process, whatever comes between them", () => {
  const files = ["packages/a/src/x/1.test.ts", "packages/b/src/2.test.ts", "packages/a/src/y/deep/3.test.ts"];
  assert.deepEqual(namesOf(...files), ["packages/a/src, 2 files", "packages/b/src/2.test.ts"]);
});

it("leaves those that start processes or take long alone", () => {
  const files = [
    "test/e2e/start.test.ts",
    "test/e2e/split.test.ts",
    "packages/ops-core/src/store/sqlite/store.test.ts",
    "packages/ops-core/src/store/sqlite/store-on-disk.test.ts",
  ];
  assert.deepEqual(namesOf(...files), files);
});

it("spreads many neighbours evenly, each over one process", () => {
  const files = Array.from({ length: 38 }, (_, n) => `packages/a/src/${n}.test.ts`);
  const processes = groupFiles("/checkout", files, folder);
  assert.deepEqual(
    processes.map(({ name }) => name),
    ["packages/a/src, 19 files", "packages/a/src, 19 files"],
  );
  const loaded = processes.flatMap(({ file }) =>
    [...readFileSync(file, "utf8").matchAll(/^suite\("(.*?)", \(\) => import\("file:\/\/\/checkout\/\1"\)\);$/gm)].map(
      ([, name]) => name,
    ),
  );
  assert.deepEqual(loaded, files);
});

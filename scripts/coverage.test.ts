import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { BRANCH_BAR, describeMissed, domainCoverage, fileCoverage, shareTaken } from "./test-run/branch-coverage.ts";

describe("branch coverage", () => {
  it("of the domain is at its bar (npm run coverage)", async () => {
    const files = await domainCoverage(path.dirname(import.meta.dirname));
    assert.ok(files.length > 0, "no file of the domain was found");
    assert.ok(shareTaken(files) >= BRANCH_BAR, `below ${100 * BRANCH_BAR} %:\n${describeMissed(files)}`);
  });

  it("counts taken and missed branches", () => {
    const branch = (line: number, count: number) => ({ line, count });
    const counted = [
      { path: path.resolve("a.ts"), branches: [branch(1, 3), branch(7, 0), branch(4, 0)] },
      { path: path.resolve("b.ts"), branches: [branch(1, 1)] },
    ] as Parameters<typeof fileCoverage>[1];
    const files = fileCoverage(process.cwd(), counted);
    assert.deepEqual(files, [
      { file: "a.ts", branches: 3, taken: 1, missed: [4, 7] },
      { file: "b.ts", branches: 1, taken: 1, missed: [] },
    ]);
    assert.equal(shareTaken(files), 0.5);
    assert.equal(describeMissed(files), "a.ts: 1 of 3, missed at 4, 7");
  });
});

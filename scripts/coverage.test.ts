import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { BRANCH_BAR, describeMissed, domainCoverage, parseLcov, shareTaken } from "./test-run/branch-coverage.ts";

describe("branch coverage", () => {
  it("of the domain is at its bar (npm run coverage)", async () => {
    const files = await domainCoverage(path.dirname(import.meta.dirname));
    assert.ok(files.length > 0, "no file of the domain was found");
    assert.ok(shareTaken(files) >= BRANCH_BAR, `below ${100 * BRANCH_BAR} %:\n${describeMissed(files)}`);
  });

  it("counts taken and missed branches of a report", () => {
    const report =
      "SF:a.ts\nBRDA:1,0,0,3\nBRDA:7,1,0,0\nBRDA:4,2,0,0\nend_of_record\nSF:b.ts\nBRDA:1,0,0,1\nend_of_record\n";
    const files = parseLcov(report);
    assert.deepEqual(files, [
      { file: "a.ts", branches: 3, taken: 1, missed: [4, 7] },
      { file: "b.ts", branches: 1, taken: 1, missed: [] },
    ]);
    assert.equal(shareTaken(files), 0.5);
    assert.equal(describeMissed(files), "a.ts: 1 of 3, missed at 4, 7");
  });
});

// `npm run coverage`: the share of the domain's branches that its own tests take, and where the others are.

import path from "node:path";
import { BRANCH_BAR, describeMissed, domainCoverage, shareTaken } from "./test-run/branch-coverage.ts";

const files = await domainCoverage(path.dirname(import.meta.dirname));
const share = shareTaken(files);
console.log(describeMissed(files));
const verdict = share >= BRANCH_BAR ? "holds" : "below the bar";
console.log(`domain branches: ${(100 * share).toFixed(2)} %, bar ${100 * BRANCH_BAR} %: ${verdict}`);
process.exitCode = share >= BRANCH_BAR ? 0 : 1;

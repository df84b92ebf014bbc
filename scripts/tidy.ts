// `npm run tidy`: the rules of STYLE.md and ARCHITECTURE.md that no other tool holds.

import path from "node:path";
import { repositoryTree } from "./tidy/repository-tree.ts";
import { describe, findUntidy } from "./tidy/rules.ts";

const findings = findUntidy(repositoryTree(path.dirname(import.meta.dirname)));
for (const finding of findings) console.error(describe(finding));
console.log(findings.length === 0 ? "tidy" : `${findings.length} places to tidy`);
process.exitCode = findings.length === 0 ? 0 : 1;

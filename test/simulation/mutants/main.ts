// `npm run mutants [-- NAME... | --named | --generated | --seeds N | --suites]`: proof that the simulator sees bugs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readOptions } from "./options.ts";
import { runMutants } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "opspawn-mutants-"));
try {
  const isProven = await runMutants(readOptions(process.argv.slice(2)), folder);
  process.exitCode = isProven ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

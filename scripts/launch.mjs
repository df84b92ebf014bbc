// Every npm script of this repository goes through here: `node scripts/launch.mjs NAME [arguments]`.
// It sets up what is missing (a Node 24, the dependencies) and then runs the named target with that Node.
// Plain JavaScript without dependencies, because it must start on whatever Node the machine has.
// @ts-check

import path from "node:path";
import { fileURLToPath } from "node:url";
import { runTarget } from "./launch/run-target.mjs";
import { setUp } from "./launch/set-up.mjs";
import { SetUpError } from "./launch/set-up-error.mjs";
import { TARGETS } from "./launch/targets.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @param {string[]} argv */
async function main([name = "", ...args]) {
  const target = Object.hasOwn(TARGETS, name) ? TARGETS[name] : undefined;
  if (target === undefined) {
    process.stderr.write(
      `Usage: node scripts/launch.mjs NAME [arguments]\nNames: ${Object.keys(TARGETS).join(", ")}\n`,
    );
    return 2;
  }
  const node = await setUp(root);
  return runTarget({ root, node, target, args });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
}

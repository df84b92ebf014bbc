// `npm run verify:clone`: what a stranger does. Clones the last commit into an empty folder and runs the README's two
// commands there with whatever Node the machine has: after a kill -9 in the middle of setting up, and twice in a row.
// Not a target of the launcher, because that would put its own Node 24 in front.
// @ts-check

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(path.join(tmpdir(), "opspawn-clone-"));

/**
 * Runs npm in the clone. With `killAt`, everything is killed hard as soon as that was printed.
 * @param {string[]} args
 * @param {string} [killAt]
 * @returns {Promise<{ code: number | null, output: string, seconds: number }>}
 */
function npm(args, killAt) {
  const began = performance.now();
  const child = spawn("npm", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  /** @param {Buffer} chunk */
  const collect = (chunk) => {
    output += chunk;
    if (killAt !== undefined && child.pid !== undefined && output.includes(killAt)) process.kill(-child.pid, "SIGKILL");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output, seconds: (performance.now() - began) / 1000 }));
  });
}

/**
 * @param {string} title
 * @param {string[]} args
 * @returns {Promise<string>} what it printed
 */
async function mustPass(title, args) {
  const { code, output, seconds } = await npm(args);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${title} (${seconds.toFixed(1)} s)`);
  if (code === 0) return output;
  console.log(output);
  throw new Error(`${title} ended with status ${code}`);
}

try {
  execFileSync("git", ["clone", "--quiet", root, folder]);
  console.log(`Node ${process.versions.node}, a clone of the last commit`);
  for (const moment of ["fetching Node", "installing the dependencies"]) {
    const { output } = await npm(["test"], moment);
    console.log(output.includes(moment) ? `killed while ${moment}` : `had no need of ${moment}`);
  }
  await mustPass("npm test, after the kills", ["test"]);
  const second = await mustPass("npm test, again", ["test"]);
  if (second.includes("Setting up")) throw new Error("the second npm test set up again");
  await mustPass("npm start -- --once", ["start", "--", "--once"]);
  await mustPass("npm start -- --once, again", ["start", "--", "--once"]);
  console.log("verify:clone holds");
} catch (error) {
  console.log(`verify:clone FAILED: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

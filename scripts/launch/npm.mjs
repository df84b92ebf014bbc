// Runs the system's npm, quietly: what it prints is shown only when it fails.
// @ts-check

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { FOLLOW_PARENT, parentMark } from "./follow-parent.mjs";
import { SetUpError } from "./set-up-error.mjs";

/**
 * Given on the command line because they must hold whatever the user's own settings are: a production setting would
 * leave out the tools, `npm -s` would silence the reason of a failure, and no dependency's script may run.
 */
const FLAGS = ["--ignore-scripts", "--include=dev", "--include=optional", "--loglevel=warn", "--no-audit", "--no-fund"];

/**
 * @param {string[]} args
 * @param {{ cwd: string, node: string, purpose: string }} options `node` runs npm; `purpose` opens the error message
 */
export async function runNpm(args, { cwd, node, purpose }) {
  const { command, before, shell } = findNpm(node);
  const child = spawn(command, [...before, ...args, ...FLAGS], {
    cwd,
    env: npmEnvironment(node),
    shell,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  child.stderr?.on("data", (chunk) => (output += chunk));
  /** @type {string} */
  const ending = await new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code === 0 ? "" : `npm ended with ${signal ?? `status ${code}`}`));
  });
  if (ending !== "") throw new SetUpError(explain(purpose, ending, output));
}

/**
 * npm tells the scripts it runs where it is; that way no shell and no search is needed.
 * @param {string} node
 */
function findNpm(node) {
  const beside = path.join(path.dirname(process.execPath), "node_modules", "npm", "bin", "npm-cli.js");
  const script = [process.env.npm_execpath, beside].find(
    (file) => file !== undefined && path.basename(file) === "npm-cli.js" && existsSync(file),
  );
  if (script !== undefined) return { command: node, before: [script], shell: false };
  return { command: "npm", before: [], shell: process.platform === "win32" };
}

/** @param {string} node */
function npmEnvironment(node) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, ...parentMark() };
  env.PATH = `${path.dirname(node)}${path.delimiter}${env.PATH ?? ""}`;
  // An npm left behind by a killed launch would write into what the next launch installs.
  env.NODE_OPTIONS = `${env.NODE_OPTIONS ?? ""} ${FOLLOW_PARENT}`.trim();
  // npm looks for the machine's npmrc (a proxy, a certificate) beside the Node it runs on, and ours has none beside it.
  const settings = path.join(path.dirname(path.dirname(process.execPath)), "etc", "npmrc");
  if (env.npm_config_globalconfig === undefined && existsSync(settings)) env.npm_config_globalconfig = settings;
  return env;
}

/**
 * @param {string} purpose
 * @param {string} ending
 * @param {string} output
 */
function explain(purpose, ending, output) {
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !/Unknown .*config/.test(line));
  return [
    `${purpose} failed: ${ending}.`,
    ...(lines.length === 0 ? [] : ["npm said:", ...lines.slice(-30).map((line) => `  ${line}`)]),
    "What to do: check that npm reaches its registry (npm ping; behind a proxy: npm config set proxy URL), that the disk",
    "has 1 GB free, and run the same command again. Nothing half done is kept.",
  ].join("\n");
}

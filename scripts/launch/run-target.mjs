// Runs one target as a child, and makes the two look like one process: same terminal, same signals, same exit code.
// @ts-check

import { spawn } from "node:child_process";
import { constants } from "node:os";
import path from "node:path";
import { FOLLOW_PARENT, parentMark } from "./follow-parent.mjs";
import { watchNpm } from "./watch-npm.mjs";

/** Lets our packages import each other's TypeScript sources (`exports` in each package.json). */
const CONDITION = "--conditions=opspawn-source";

/** npm and the terminal may both deliver the same Ctrl-C; the child shall see it once. */
const SAME_SIGNAL_MS = 1_000;

/**
 * @param {{ root: string, node: string, target: { script: string, args?: string[] }, args: string[] }} options
 * @returns {Promise<number>} the exit code; 128 + n when signal n ended the target
 */
export function runTarget({ root, node, target, args }) {
  const script = path.join(root, target.script);
  const child = spawn(node, [FOLLOW_PARENT, script, ...(target.args ?? []), ...args], {
    cwd: root,
    env: targetEnvironment(root, node),
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  const stopForwarding = forwardSignals(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      stopForwarding();
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
    });
  });
}

/**
 * What a target finds in its environment beside the caller's own variables.
 * OPSPAWN_CWD is the folder the caller stands in: npm changes to the root, but `--file notes.md` means the caller's.
 * @param {string} root
 * @param {string} node
 */
function targetEnvironment(root, node) {
  const { INIT_CWD, NODE_OPTIONS = "", PATH = "" } = process.env;
  const options = NODE_OPTIONS.split(" ").filter((option) => option !== "" && option !== CONDITION);
  return {
    ...process.env,
    ...parentMark(),
    NODE_OPTIONS: [...options, CONDITION].join(" "),
    PATH: [path.dirname(node), path.join(root, "node_modules", ".bin"), PATH].join(path.delimiter),
    OPSPAWN_CWD: process.cwd() === root ? (INIT_CWD ?? root) : process.cwd(),
  };
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {() => void} stops it
 */
function forwardSignals(child) {
  /** @type {Map<NodeJS.Signals, number>} */
  const last = new Map();
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // In a terminal, Ctrl-C reaches the whole process group: the child has it already.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    if (performance.now() - (last.get(signal) ?? -Infinity) < SAME_SIGNAL_MS) return;
    last.set(signal, performance.now());
    child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  const stopWatching = watchNpm(() => forward("SIGTERM"));
  return () => {
    stopWatching();
    for (const signal of signals) process.off(signal, forward);
  };
}

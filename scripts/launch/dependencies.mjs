// Installs what package-lock.json names, once per lock file. A stamp inside node_modules, written last, says for which
// lock file and platform the folder is complete; an install that was interrupted has none and is done again.
// @ts-check

import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { runNpm } from "./npm.mjs";
import { say } from "./say.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, os?: string[],
 *   cpu?: string[] }} LockEntry
 */

/**
 * @param {string} root
 * @returns {boolean} whether node_modules is complete and belongs to the lock file
 */
export function dependenciesReady(root) {
  return read(stampOf(root)) === fingerprint(root);
}

/**
 * The caller holds the set-up lock.
 * @param {string} root
 * @param {string} node the Node that npm shall run on
 */
export async function installDependencies(root, node) {
  const stamp = fingerprint(root);
  if (!installedByHand(root)) {
    say("installing the dependencies ...");
    // `npm ci` empties the folder in no particular order: what vouches for it must be gone first.
    rmSync(stampOf(root), { force: true });
    rmSync(hiddenLockOf(root), { force: true });
    await runNpm(["ci"], { cwd: root, node, purpose: "Installing the dependencies" });
  }
  const draft = `${stampOf(root)}-${process.pid}`;
  writeFileSync(draft, stamp);
  renameSync(draft, stampOf(root));
}

/**
 * Somebody ran npm without this launcher, and completely: npm's own record, which it writes at the end, agrees with
 * the lock file. Installing again would only cost time, or fail for want of a network.
 * @param {string} root
 */
function installedByHand(root) {
  const installed = lockEntries(hiddenLockOf(root));
  const wanted = lockEntries(path.join(root, "package-lock.json"));
  if (installed === undefined || wanted === undefined) return false;
  const complete = Object.entries(wanted).every(([name, entry]) => {
    const found = installed[name];
    if (found === undefined) return name === "" || entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
  return complete && Object.values(installed).every(fitsThisMachine);
}

/** @param {LockEntry} entry */
function fitsThisMachine({ os, cpu }) {
  return (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true);
}

/**
 * @param {string} file
 * @returns {Record<string, LockEntry> | undefined}
 */
function lockEntries(file) {
  const text = read(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text).packages;
  } catch {
    return undefined;
  }
}

/** @param {string} root */
function fingerprint(root) {
  const lock = read(path.join(root, "package-lock.json")) ?? "";
  return createHash("sha256").update(`${process.platform} ${process.arch}\n${lock}`).digest("hex");
}

/** @param {string} root */
function stampOf(root) {
  return path.join(root, "node_modules", ".opspawn-stamp");
}

/** @param {string} root */
function hiddenLockOf(root) {
  return path.join(root, "node_modules", ".package-lock.json");
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

// One set-up at a time: a folder is the lock. It is renamed into place with its owner inside, so it is never
// ownerless, and its owner keeps touching it, so the lock of a killed launch is told from a live one.
// @ts-check

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { say } from "./say.mjs";

const TOUCH_MS = 1_000;
const STALE_MS = 20_000;
const POLL_MS = 200;

/** The npm of a killed launch stops when it notices; nothing new is begun before. */
const FAREWELL_MS = 1_000;

/** @typedef {{ pid: number, host: string }} Owner */

/**
 * @template T
 * @param {string} lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSetUpLock(lock, work) {
  await take(lock);
  const touching = setInterval(() => touch(lock), TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    rmSync(lock, { recursive: true, force: true });
  }
}

/** @param {string} lock */
async function take(lock) {
  let told = false;
  while (!tryTake(lock)) {
    const owner = readOwner(lock);
    if (owner === undefined) continue;
    if (isGone(lock, owner)) {
      breakLock(lock, owner);
      await sleep(FAREWELL_MS);
      continue;
    }
    if (!told) say(`waiting for another launch (process ${owner.pid}) to finish setting up ...`);
    told = true;
    await sleep(POLL_MS);
  }
}

/**
 * @param {string} lock
 * @returns {boolean} false when somebody else holds it: a folder cannot be renamed onto one that has content
 */
function tryTake(lock) {
  if (statOf(lock) !== undefined) return false;
  const draft = `${lock}-${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  writeFileSync(path.join(draft, "owner"), JSON.stringify({ pid: process.pid, host: hostname() }));
  try {
    renameSync(draft, lock);
    return true;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (statOf(lock) === undefined && !isConflict(error)) throw error;
    return false;
  }
}

/**
 * Dead, or silent for so long that its process id must belong to somebody else by now.
 * @param {string} lock
 * @param {Owner} owner
 */
function isGone(lock, owner) {
  const age = Date.now() - (statOf(lock)?.mtimeMs ?? Date.now());
  return age > STALE_MS || (owner.host === hostname() && (owner.pid === process.pid || !isAlive(owner.pid)));
}

/**
 * Two launches may find the same dead owner. Who moved away the other's fresh lock instead puts it back.
 * @param {string} lock
 * @param {Owner} dead
 */
function breakLock(lock, dead) {
  const grave = `${lock}-broken-${process.pid}`;
  try {
    renameSync(lock, grave);
  } catch {
    return;
  }
  const moved = readOwner(grave);
  if (moved !== undefined && moved.pid !== dead.pid) {
    renameSync(grave, lock);
    return;
  }
  rmSync(grave, { recursive: true, force: true });
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/**
 * In a container nobody may collect the dead. Linux only; elsewhere the lock's age must do.
 * @param {number} pid
 */
function isZombie(pid) {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/, ""));
  } catch {
    return false;
  }
}

/**
 * @param {string} lock
 * @returns {Owner | undefined}
 */
function readOwner(lock) {
  try {
    return JSON.parse(readFileSync(path.join(lock, "owner"), "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {string} lock */
function touch(lock) {
  const now = new Date();
  try {
    utimesSync(lock, now, now);
  } catch {
    // Broken by a launch that took us for dead (a suspended laptop): the work itself stays safe, it ends in renames.
  }
}

/** @param {string} file */
function statOf(file) {
  return statSync(file, { throwIfNoEntry: false });
}

/** @param {number} milliseconds */
function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** @param {unknown} error */
function isConflict(error) {
  return ["EEXIST", "ENOTEMPTY", "EPERM", "EACCES"].includes(codeOf(error));
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

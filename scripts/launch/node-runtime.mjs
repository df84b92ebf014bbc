// Finds a Node that is new enough, or fetches one: npm carries Node itself, as a package per platform.
// @ts-check

import crypto from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { runNpm } from "./npm.mjs";
import { say } from "./say.mjs";
import { SetUpError } from "./set-up-error.mjs";

const VERSION = "24.21.0";

/** The content hashes pin what a registry may answer. */
const PACKAGES = new Map([
  ["linux-x64", "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=="],
  ["linux-arm64", "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=="],
  ["win-x64", "sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA=="],
]);

/** @typedef {{ node: string, sqlite: string | undefined, hasUuidV7: boolean }} Capabilities */

/** @type {Capabilities} */
const running = {
  node: process.versions.node,
  sqlite: process.versions.sqlite,
  hasUuidV7: "randomUUIDv7" in crypto,
};

/**
 * Early releases of Node 24 lack UUIDv7 and carry a SQLite whose WAL can be corrupted, so 24 alone is not enough.
 * @param {Capabilities} capabilities
 */
export function isNewEnough({ node, sqlite, hasUuidV7 }) {
  return compareVersions(node, "24.0.0") >= 0 && compareVersions(sqlite ?? "0", "3.51.3") >= 0 && hasUuidV7;
}

/**
 * The running Node when it is new enough, else the one fetched earlier.
 * @param {string} root
 * @param {Capabilities} capabilities
 */
export function findNode(root, capabilities = running) {
  if (isNewEnough(capabilities)) return process.execPath;
  const fetched = nodeIn(folderOf(root));
  return existsSync(fetched) ? fetched : undefined;
}

/**
 * Fetches Node into `.cache/`. The caller holds the set-up lock.
 * @param {string} root
 * @returns {Promise<string>}
 */
export async function fetchNode(root, platform = thisPlatform) {
  const integrity = PACKAGES.get(platform);
  if (integrity === undefined) throw new SetUpError(installItYourself(platform));
  say(`fetching Node ${VERSION}, because this is Node ${process.versions.node} ...`);
  const name = `node-${platform}`;
  const stage = path.join(root, ".cache", `stage-${process.pid}`);
  mkdirSync(stage, { recursive: true });
  writeStageProject(stage, name, integrity);
  await runNpm(["ci"], { cwd: stage, node: process.execPath, purpose: `Fetching Node ${VERSION}` });
  // The rename is what makes it count: a launch killed before it leaves only a stage to be thrown away.
  const folder = folderOf(root, platform);
  rmSync(folder, { recursive: true, force: true });
  renameSync(path.join(stage, "node_modules", name), folder);
  rmSync(stage, { recursive: true, force: true });
  return nodeIn(folder);
}

/**
 * Throws away what killed launches left half done. The caller holds the set-up lock.
 * @param {string} root
 */
export function discardUnfinished(root) {
  const cache = path.join(root, ".cache");
  for (const entry of readdirSync(cache)) {
    if (entry.startsWith("stage-")) rmSync(path.join(cache, entry), { recursive: true, force: true });
  }
}

/**
 * A project of its own with a lock file of its own, so that the repository's is not touched.
 * @param {string} stage
 * @param {string} name
 * @param {string} integrity
 */
function writeStageProject(stage, name, integrity) {
  const project = { name: "opspawn-node", version: "0.0.0", private: true, dependencies: { [name]: VERSION } };
  const packages = { "": project, [`node_modules/${name}`]: { version: VERSION, integrity } };
  const lock = { name: project.name, version: project.version, lockfileVersion: 3, requires: true, packages };
  writeFileSync(path.join(stage, "package.json"), JSON.stringify(project));
  writeFileSync(path.join(stage, "package-lock.json"), JSON.stringify(lock));
}

const thisPlatform = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

/** @param {string} root */
function folderOf(root, platform = thisPlatform) {
  return path.join(root, ".cache", `node-${VERSION}-${platform}`);
}

/** @param {string} folder */
function nodeIn(folder) {
  return path.join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
}

/** @param {string} platform */
function installItYourself(platform) {
  return [
    `Opspawn needs Node 24 (${VERSION} or later); this is Node ${process.versions.node}.`,
    `For ${platform} it cannot be fetched from npm. Install it from https://nodejs.org/ or with your version manager`,
    "(for example: nvm install 24), then run the same command again.",
  ].join("\n");
}

/**
 * @param {string} left
 * @param {string} right
 */
function compareVersions(left, right) {
  const [a, b] = [left, right].map((version) => version.split(".").map((part) => Number.parseInt(part, 10)));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

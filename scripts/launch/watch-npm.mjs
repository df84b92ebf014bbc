// npm starts a script through a shell. Stopping npm stops the shell but not the script behind it, and killing npm hard
// stops neither. So the launcher looks whether both are still there.
// @ts-check

import { readFileSync } from "node:fs";

const POLL_MS = 250;

/**
 * Does nothing when npm did not start us: then nobody promised to outlive us.
 * @param {() => void} gone called once
 * @returns {() => void} ends the watch
 */
export function watchNpm(gone) {
  if (process.env.npm_lifecycle_event === undefined) return () => {};
  const before = lineage();
  const timer = setInterval(() => {
    if (lineage() === before) return;
    clearInterval(timer);
    gone();
  }, POLL_MS);
  return () => clearInterval(timer);
}

/** Our parent, and where that is a shell (Linux tells) also its parent, which is npm. */
function lineage() {
  const parent = process.ppid;
  const stat = readStat(parent);
  return stat !== undefined && /^(?:\w*sh|busybox)$/.test(stat.name) ? `${parent} ${stat.parent}` : `${parent}`;
}

/**
 * @param {number} pid
 * @returns {{ name: string, parent: number } | undefined}
 */
function readStat(pid) {
  try {
    const [, name = "", parent = ""] = /\((.*)\) \w (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return { name, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

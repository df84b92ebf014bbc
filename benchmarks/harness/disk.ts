import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./statistics.ts";

const TMPFS = 0x01021994;
const PROBES = 50;

/** A new folder on a disk: beside this repository when the system's folder for such things is only memory. */
export function diskFolder(prefix = "opspawn-bench-"): string {
  const beside = join(import.meta.dirname, "../../.cache");
  const parent = statfsSync(tmpdir()).type === TMPFS ? beside : tmpdir();
  mkdirSync(parent, { recursive: true });
  if (statfsSync(parent).type === TMPFS) throw new Error(`${parent} is in memory; durability costs nothing there`);
  return mkdtempSync(join(parent, prefix));
}

/** What one small write costs here until it is on the disk, in milliseconds (median). */
export function writeThroughMs(folder: string): number {
  const path = join(folder, "probe");
  const file = openSync(path, "w");
  const page = Buffer.alloc(4_096, 1);
  const times = Array.from({ length: PROBES }, () => {
    const begun = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - begun;
  });
  closeSync(file);
  rmSync(path);
  return median(times);
}

import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import path from "node:path";

/** Bytes after which a log is put aside at the next start. */
const LARGEST = 5_000_000;

/** Where a child process writes what it has to say. Only its owner may read it: a first start names the admin key. */
export class LogFile {
  readonly path: string;
  /** Bytes that earlier starts wrote. */
  #before = 0;

  constructor(file: string) {
    this.path = file;
  }

  /** A descriptor to write to; close it once the child has it. */
  open(): number {
    mkdirSync(path.dirname(this.path), { recursive: true, mode: 0o700 });
    if ((statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) > LARGEST) renameSync(this.path, `${this.path}.1`);
    const descriptor = openSync(this.path, "a", 0o600);
    this.#before = fstatSync(descriptor).size;
    return descriptor;
  }

  close(descriptor: number): void {
    closeSync(descriptor);
  }

  /** The last lines since it was opened, shortened to what fits a terminal. */
  tail(lines = 12, width = 160): string[] {
    try {
      const text = readFileSync(this.path).subarray(this.#before).toString("utf8");
      const all = text.split("\n").filter((line) => line.trim() !== "");
      return all.slice(-lines).map((line) => (line.length > width ? `${line.slice(0, width - 3)}...` : line));
    } catch {
      return [];
    }
  }
}

import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";

/** All entries of a log; empty when it was never begun. */
export function readLog<T>(path: string): T[] {
  return existsSync(path) ? parseLines<T>(readFileSync(path, "utf8")) : [];
}

/** Reads a log that is still being written, each time from where it stopped. */
export class LogTail<T> {
  readonly #path: string;
  #offset = 0;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** What was added since the last call. */
  read(): T[] {
    if (!existsSync(this.#path)) return [];
    const text = this.#rest + this.#readBytes();
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.slice(end);
    return parseLines<T>(text.slice(0, end));
  }

  /** Entries are ASCII: JSON of ids, names and numbers. */
  #readBytes(): string {
    const file = openSync(this.#path, "r");
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - this.#offset);
      const read = readSync(file, bytes, 0, bytes.length, this.#offset);
      this.#offset += read;
      return bytes.toString("latin1", 0, read);
    } finally {
      closeSync(file);
    }
  }
}

function parseLines<T>(text: string): T[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

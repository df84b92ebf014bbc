import { readdirSync, readFileSync } from "node:fs";
import { OpspawnError } from "@opspawn/contract";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The migrations of a folder, ascending; `0001-initial.sql` is version 1. */
export function readMigrations(folder: URL): readonly Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}-.+\.sql$/.test(file))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(5, -4),
      sql: readFileSync(new URL(file, folder), "utf8"),
    }));
}

/** The migrations a store at `current` still needs. Errors: `internal` when the store is newer than this program. */
export function pendingMigrations(all: readonly Migration[], current: number): readonly Migration[] {
  const newest = all.at(-1)?.version ?? 0;
  if (current > newest) {
    throw new OpspawnError(
      "internal",
      `The data was written by a newer version of Opspawn (schema ${current}, this program knows ${newest}). Use that version.`,
    );
  }
  return all.filter((migration) => migration.version > current);
}

import { hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { OpspawnError } from "@opspawn/contract";

export interface Migration {
  readonly version: number;
  readonly file: string;
  readonly sql: string;
}

/** The migrations of a folder, ascending; `0001-initial.sql` is version 1. */
export function readMigrations(folder: URL): readonly Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}-.+\.sql$/.test(file))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      file,
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

/** What a migration is known by in the data it made. Line ends do not count: a checkout may change them. */
export function checksumOf({ sql }: Migration): string {
  return hash("sha256", sql.replaceAll("\r\n", "\n"));
}

/**
 * Makes sure that data was made by these very migrations; else its tables may be other ones than the program expects.
 * @param applied checksums by version, as the data has them
 * @param place where the data is, for the one who has to move it
 * @throws OpspawnError `internal`
 */
export function checkApplied(
  all: readonly Migration[],
  current: number,
  applied: ReadonlyMap<number, string>,
  place: string,
): void {
  const other = all.find((each) => each.version <= current && applied.get(each.version) !== checksumOf(each));
  if (other === undefined) return;
  throw new OpspawnError(
    "internal",
    `The data in ${place} was made by another build of Opspawn: it had another text of the migration ${other.file}. ` +
      "Start it with that build, or, to begin anew, move the folder away or name another one with --data.",
  );
}

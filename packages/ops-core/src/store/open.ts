import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";
import type { Failpoint } from "../domain/failpoint.ts";
import type { Ids } from "../domain/ids.ts";
import { compileStored } from "../domain/workflows/plans.ts";
import { openSqlite, type SqliteStore } from "./sqlite/store.ts";

export interface StoreOptions {
  /** The folder of the data, made when it is missing; null = in memory, gone with the process. */
  readonly folder: string | null;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Attempts this process may still take on for sending; absent = it has no engine. */
  readonly sendCapacity?: () => number;
  readonly failpoint?: Failpoint | undefined;
}

/** Opens the store. Errors: `unavailable` when another process has it open, `internal` when it was written by a newer version. */
export function openStore(options: StoreOptions): SqliteStore {
  const { folder, ...rest } = options;
  if (folder !== null) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = folder === null ? ":memory:" : join(folder, "opspawn.db");
  return openSqlite({ ...rest, path, compile: compileStored });
}

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isJsonObject, OpspawnError, parseJson } from "@opspawn/contract";
import type { Clock } from "../domain/clock.ts";
import type { Ids } from "../domain/ids.ts";
import { compileWorkflow } from "../domain/workflows/compile.ts";
import type { WorkflowPlan } from "../domain/workflows/plan.ts";
import { openSqlite, type SqliteStore } from "./sqlite/store.ts";

export interface StoreOptions {
  /** The folder of the data, made when it is missing; null = in memory, gone with the process. */
  readonly folder: string | null;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Attempts this process may still take on for sending; absent = it has no engine. */
  readonly sendCapacity?: () => number;
}

/** Opens the store. Errors: `unavailable` when another process has it open, `internal` when it was written by a newer version. */
export function openStore(options: StoreOptions): SqliteStore {
  const { folder, ...rest } = options;
  if (folder !== null) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = folder === null ? ":memory:" : join(folder, "opspawn.db");
  return openSqlite({ ...rest, path, compile });
}

/** Stored definitions were checked when they were accepted, in the mode that accepts most. */
function compile(document: string): WorkflowPlan {
  const value = parseJson(document);
  if (!isJsonObject(value)) throw new OpspawnError("internal", "A stored definition is no JSON object.");
  return compileWorkflow(value, { mode: "original" }).plan;
}

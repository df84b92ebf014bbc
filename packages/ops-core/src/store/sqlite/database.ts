import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { OpspawnError } from "@opspawn/contract";
import type { Failpoint } from "../../domain/failpoint.ts";
import { checkApplied, checksumOf, type Migration, pendingMigrations, readMigrations } from "../migrate.ts";

/** SQLite versions before this one can corrupt a WAL database when its log is reset. */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** Before the version, in the keys of `meta` that hold the checksums of what was applied. */
const APPLIED = "migration.";

/** Values by position, or one object of them by name. */
export type Values = SQLInputValue[] | [Record<string, SQLInputValue>];

/** The one place that knows `node:sqlite`: a connection and its prepared statements, by text. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * @param path a file, or `:memory:`
   * @param timeout milliseconds to wait for another process that is just letting go of the file
   */
  constructor(path: string, failpoint?: Failpoint, timeout = 2_000) {
    this.#db = new DatabaseSync(path, { timeout });
    try {
      this.#configure();
      this.#migrate(path, failpoint);
    } catch (error) {
      this.#db.close();
      throw openError(error);
    }
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  get<T>(sql: string, ...values: Values): T | undefined {
    return this.#prepare(sql).get(...(values as SQLInputValue[])) as T | undefined;
  }

  all<T>(sql: string, ...values: Values): T[] {
    return this.#prepare(sql).all(...(values as SQLInputValue[])) as T[];
  }

  exec(sql: string): void {
    if (!this.isOpen) throw closedError();
    this.#db.exec(sql);
  }

  /** `begin immediate`, `commit` or `rollback`. */
  transaction(step: "begin immediate" | "commit" | "rollback"): void {
    this.#prepare(step).run();
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  close(): void {
    if (!this.isOpen) return;
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (!this.isOpen) throw closedError();
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #configure(): void {
    const found = this.get<{ version: string }>("select sqlite_version() as version")?.version ?? "";
    if (isOlder(found)) {
      throw new OpspawnError("internal", `SQLite ${found} is too old; ${OLDEST_SQLITE.join(".")} or newer is needed.`);
    }
    // The lock is taken with the first access and held: one process owns the file.
    this.#db.exec("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full");
    this.#db.exec("pragma foreign_keys = off; pragma temp_store = memory; pragma cache_size = -32768");
    this.#db.exec("begin immediate; commit");
  }

  #migrate(path: string, failpoint: Failpoint | undefined): void {
    const all = readMigrations(new URL("./migrations/", import.meta.url));
    const current = this.get<{ user_version: number }>("pragma user_version")?.user_version ?? 0;
    const pending = pendingMigrations(all, current);
    checkApplied(all, current, this.#appliedMigrations(), dirname(path));
    for (const migration of pending) {
      this.#db.exec("begin immediate");
      this.#db.exec(`pragma user_version = ${migration.version}`);
      this.#db.exec(migration.sql);
      this.#remember(migration);
      failpoint?.("store.mid-migration");
      this.#db.exec("commit");
    }
  }

  /** Checksums by version. */
  #appliedMigrations(): Map<number, string> {
    const hasMeta = this.get("select 1 from sqlite_master where type = 'table' and name = 'meta'") !== undefined;
    if (!hasMeta) return new Map();
    const rows = this.all<{ key: string; value: string }>(`select key, value from meta where key like '${APPLIED}%'`);
    return new Map(rows.map(({ key, value }) => [Number(key.slice(APPLIED.length)), value]));
  }

  #remember(migration: Migration): void {
    const key = `${APPLIED}${migration.version}`;
    this.#db.prepare("insert into meta (key, value) values (?, ?)").run(key, checksumOf(migration));
  }
}

function closedError(): OpspawnError {
  return new OpspawnError("shutting_down", "The server is stopping.");
}

function isOlder(version: string): boolean {
  const parts = version.split(".").map(Number);
  for (const [i, oldest] of OLDEST_SQLITE.entries()) {
    const part = parts[i] ?? 0;
    if (part !== oldest) return part < oldest;
  }
  return false;
}

function openError(error: unknown): unknown {
  if (error instanceof Error && /database is locked|SQLITE_BUSY/.test(error.message)) {
    return new OpspawnError(
      "unavailable",
      "Another process has this data folder open. Stop it first, or use another folder with --data.",
      { cause: error },
    );
  }
  return error;
}

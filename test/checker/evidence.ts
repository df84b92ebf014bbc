import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { ClientEntry, EffectEntry, StreamLog } from "./entries.ts";
import { History } from "./history.ts";

/** What is known of a system when it is judged. What nobody kept is null, and what rests on it is not judged. */
export interface Evidence {
  readonly db: Rows;
  readonly history: History;
  /** What a client asked and was told. */
  readonly client: readonly ClientEntry[] | null;
  /** What reached agents and receivers, and what they did. */
  readonly effects: readonly EffectEntry[] | null;
  /** What followers of events were told. */
  readonly streams: readonly StreamLog[] | null;
  /** Everything had the time to end: what is still open was forgotten. */
  readonly isDrained: boolean;
  /** Agents do what they are given, in their time, and say nothing else; so everything must succeed. */
  readonly isPunctual: boolean;
}

/** A database that is only read. */
export class Rows {
  readonly #db: DatabaseSync;

  /** @param path a file, which no other process has open */
  constructor(path: string | DatabaseSync) {
    this.#db = typeof path === "string" ? new DatabaseSync(path, { readOnly: true }) : path;
  }

  all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#db.prepare(sql).all(...values) as T[];
  }

  /** As `all`, with parameters by their names. */
  named<T>(sql: string, values: Record<string, SQLInputValue>): T[] {
    return this.#db.prepare(sql).all(values) as T[];
  }

  /** The first column of each row, as text. */
  texts(sql: string, ...values: SQLInputValue[]): string[] {
    return this.all<Record<string, unknown>>(sql, ...values).map((row) => String(Object.values(row)[0]));
  }

  close(): void {
    this.#db.close();
  }
}

export interface EvidenceSources {
  readonly db: Rows;
  readonly client?: readonly ClientEntry[];
  readonly effects?: readonly EffectEntry[];
  readonly streams?: readonly StreamLog[];
  readonly isDrained: boolean;
  /** Default true. */
  readonly isPunctual?: boolean;
}

export function evidenceOf(sources: EvidenceSources): Evidence {
  const { db, client = null, effects = null, streams = null, isDrained, isPunctual = true } = sources;
  return { db, history: new History(db), client, effects, streams, isDrained, isPunctual };
}

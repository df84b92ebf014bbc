import type { SQLInputValue } from "node:sqlite";
import type { JsonObject } from "@opspawn/contract";
import type { Clock } from "../../domain/clock.ts";
import type { Failpoint } from "../../domain/failpoint.ts";
import type { Ids } from "../../domain/ids.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import type { AgentIndex } from "./agent-index.ts";
import type { Database, Values } from "./database.ts";
import { HeldTasks } from "./held-tasks.ts";
import { CommitHints } from "./hints.ts";
import type { LimitIndex } from "./limit-index.ts";
import type { PlanCache } from "./plan-cache.ts";
import type { RecentRows } from "./recent-rows.ts";
import type { SessionUnit } from "./session-unit.ts";

/** What transitions share beside the connection. */
export interface TxContext {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly agents: AgentIndex;
  readonly limits: LimitIndex;
  readonly plans: PlanCache;
  readonly recent: RecentRows;
  /** This process; attempts it claims are sent by it. */
  readonly epoch: number;
  /** Attempts this process may still take on for sending; 0 = it does not send. */
  readonly sendCapacity: () => number;
  readonly failpoint: Failpoint | undefined;
  /** Attempts that earlier transitions of the batch took on for sending. */
  promised: number;
  /** A schedule has started sessions that may not have ended yet. */
  hasOpenFires: boolean;
  /** The next event position; null until the last one is read anew. */
  position: number | null;
  /** Drops what memory knows beyond the database, after a rollback. */
  forget(): void;
}

/** An input that a session will get before the transition ends. */
export interface InboxEntry {
  readonly session: SessionUnit;
  /** A function: what it is, if anything, shows when its turn has come. */
  readonly input: SessionInput | (() => SessionInput | null);
  /** No task of it is ready before. */
  readonly startAt: number;
}

/** One transition at work: its statements, events, hints and the sessions and tasks it holds. */
export class Tx {
  readonly context: TxContext;
  readonly now: number;
  readonly hints = new CommitHints();
  readonly tasks = new HeldTasks();
  /** What one session leads to in another, or in itself: taken up when what led to it is done. */
  readonly inbox: InboxEntry[] = [];
  /** Sessions of which an attempt that was cancelled has come to its end; null = none, as nearly always. */
  freed: Set<string> | null = null;
  readonly #db: Database;
  readonly #sessions = new Map<string, SessionUnit>();
  readonly #events = new Map<string, { sequence: number; entries: [string, JsonObject][] }>();
  readonly #savepoint: boolean;
  /** What memory knows beyond the database may be ahead of it. */
  #touched = false;
  #wrote = false;

  /** @param savepoint whether what it writes can be taken back without what was written before it. Default: no. */
  constructor(db: Database, context: TxContext, savepoint = false) {
    this.#db = db;
    this.context = context;
    this.#savepoint = savepoint;
    this.now = context.clock.now();
  }

  /** Attempts this process may still take on for sending. */
  get sendCapacity(): number {
    return this.context.sendCapacity() - this.context.promised - this.hints.claimed.length;
  }

  get<T>(sql: string, ...values: Values): T | undefined {
    this.#writeTasks();
    return this.#db.get<T>(sql, ...values);
  }

  all<T>(sql: string, ...values: Values): T[] {
    this.#writeTasks();
    return this.#db.all<T>(sql, ...values);
  }

  /** The number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    this.#writeTasks();
    this.#begin();
    return this.#db.run(sql, ...values);
  }

  /** As `get`, for a statement that writes and returns its row. */
  returning<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    this.#writeTasks();
    this.#begin();
    return this.#db.get<T>(sql, ...values);
  }

  /** Records a fact; `sequence` is the stream's own count, kept by the caller on the row it belongs to. */
  event(stream: string, sequence: number, type: string, data: JsonObject): void {
    const known = this.#events.get(stream);
    if (known === undefined) this.#events.set(stream, { sequence, entries: [[type, data]] });
    else known.entries.push([type, data]);
    this.hints.streams.add(stream);
  }

  #writeEvents(): void {
    if (this.#events.size === 0) return;
    let position = this.context.position ?? nextPosition(this);
    for (const [stream, { sequence, entries }] of this.#events) {
      this.run(
        "insert into events (position, stream, sequence, at, entries) values (?, ?, ?, ?, ?)",
        position,
        stream,
        sequence,
        this.now,
        JSON.stringify(entries),
      );
      position += entries.length;
    }
    this.context.position = position;
  }

  #begin(): void {
    if (this.#wrote) return;
    this.#wrote = true;
    this.#touched = true;
    if (this.#savepoint) this.#db.run("savepoint transition");
  }

  /** Whatever asks the database sees what this transition has changed. */
  #writeTasks(): void {
    if (this.tasks.isWritten) return;
    this.#begin();
    this.tasks.write(this.#db);
  }

  /** Memory is changed ahead of the rows. */
  touch(): void {
    this.#touched = true;
  }

  session(id: string): SessionUnit | undefined {
    return this.#sessions.get(id);
  }

  hold(unit: SessionUnit): void {
    this.#sessions.set(unit.id, unit);
  }

  /** Writes what was held back and keeps the transition. */
  finish(): void {
    for (const unit of this.#sessions.values()) unit.flush(this);
    this.#writeEvents();
    this.#writeTasks();
    if (this.#savepoint && this.#wrote) this.#db.run("release transition");
    for (const row of this.tasks.rows()) this.context.recent.putTask(row);
  }

  /** Takes everything back; false when that takes a rollback of the whole batch. */
  undo(): boolean {
    if (this.#wrote && !this.#savepoint) return false;
    if (this.#wrote) {
      this.#db.run("rollback to transition");
      this.#db.run("release transition");
    }
    if (this.#touched) this.context.forget();
    this.#sessions.clear();
    return true;
  }
}

/** The position after that of the last event. */
export function nextPosition(db: Pick<Tx, "get">): number {
  const row = db.get<{ next: number }>(
    "select position + json_array_length(entries) as next from events order by position desc limit 1",
  );
  return row?.next ?? 1;
}

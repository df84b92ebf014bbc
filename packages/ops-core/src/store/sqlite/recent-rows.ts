import type { SessionRow } from "./session-row.ts";
import type { TaskRow } from "./task-row.ts";

const MAX_ROWS = 2_000;
/** Of sessions that have ended: whoever waited for one reads it now. */
const MAX_ENDED = 256;
/** Rows with more text than this are not worth keeping. */
const MAX_TEXT = 8_192;

/**
 * Rows as they were last written, so that the next transition on them need not read. What is taken is gone: whoever
 * takes a row writes it back or leaves it to the database, and after a rollback nothing is left here.
 */
export class RecentRows {
  readonly #sessions = new Map<string, SessionRow>();
  readonly #ended = new Map<string, SessionRow>();
  readonly #tasks = new Map<string, TaskRow>();

  putSession(row: SessionRow): void {
    if (row.ended_at === null) put(this.#sessions, row, MAX_ROWS);
    else if ((row.result?.length ?? 0) <= MAX_TEXT) put(this.#ended, row, MAX_ENDED);
  }

  /** A look at a session; whoever changes it takes it. */
  session(id: string): Readonly<SessionRow> | undefined {
    return this.#sessions.get(id) ?? this.#ended.get(id);
  }

  takeSession(id: string): SessionRow | undefined {
    return take(this.#sessions, id) ?? take(this.#ended, id);
  }

  putTask(row: TaskRow): void {
    if (row.status !== "running" || row.parameters.length > MAX_TEXT) return;
    put(this.#tasks, row, MAX_ROWS);
  }

  takeTask(id: string): TaskRow | undefined {
    return take(this.#tasks, id);
  }

  /** What is kept now, for a comparison with the rows. */
  kept(): { sessions: readonly SessionRow[]; tasks: readonly TaskRow[] } {
    return { sessions: [...this.#sessions.values(), ...this.#ended.values()], tasks: [...this.#tasks.values()] };
  }

  clear(): void {
    this.#ended.clear();
    this.#sessions.clear();
    this.#tasks.clear();
  }
}

function put<T extends { readonly id: string }>(rows: Map<string, T>, row: T, max: number): void {
  if (rows.size >= max) {
    const oldest = rows.keys().next();
    if (oldest.done !== true) rows.delete(oldest.value);
  }
  rows.set(row.id, row);
}

function take<T>(rows: Map<string, T>, id: string): T | undefined {
  const row = rows.get(id);
  if (row !== undefined) rows.delete(id);
  return row;
}

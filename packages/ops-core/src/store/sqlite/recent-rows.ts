import type { SessionRow } from "./session-row.ts";
import type { TaskRow } from "./task-row.ts";

const MAX_ROWS = 2_000;
/** Rows with more text than this are not worth keeping. */
const MAX_TEXT = 8_192;

/**
 * Rows as they were last written, so that the next transition on them need not read. What is taken is gone: whoever
 * takes a row writes it back or leaves it to the database, and after a rollback nothing is left here.
 */
export class RecentRows {
  readonly #sessions = new Map<string, SessionRow>();
  readonly #tasks = new Map<string, TaskRow>();

  putSession(row: SessionRow): void {
    if (row.ended_at !== null) return;
    if (this.#sessions.size >= MAX_ROWS) dropOldest(this.#sessions);
    this.#sessions.set(row.id, row);
  }

  /** A look at an open session; whoever changes it takes it. */
  session(id: string): Readonly<SessionRow> | undefined {
    return this.#sessions.get(id);
  }

  takeSession(id: string): SessionRow | undefined {
    const row = this.#sessions.get(id);
    if (row !== undefined) this.#sessions.delete(id);
    return row;
  }

  putTask(row: TaskRow): void {
    if (row.status !== "running" || row.parameters.length > MAX_TEXT) return;
    if (this.#tasks.size >= MAX_ROWS) dropOldest(this.#tasks);
    this.#tasks.set(row.id, row);
  }

  takeTask(id: string): TaskRow | undefined {
    const row = this.#tasks.get(id);
    if (row !== undefined) this.#tasks.delete(id);
    return row;
  }

  /** What is kept now, for a comparison with the rows. */
  kept(): { sessions: readonly SessionRow[]; tasks: readonly TaskRow[] } {
    return { sessions: [...this.#sessions.values()], tasks: [...this.#tasks.values()] };
  }

  clear(): void {
    this.#sessions.clear();
    this.#tasks.clear();
  }
}

function dropOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

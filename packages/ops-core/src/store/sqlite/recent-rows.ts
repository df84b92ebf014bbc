import type { SessionRow } from "./session-unit.ts";
import type { AttemptRow, TaskRow } from "./task-row.ts";

const MAX_ROWS = 2_000;
/** Rows with more text than this are not worth keeping. */
const MAX_TEXT = 8_192;

/**
 * Rows as they were last written, so that the next transition on them need not read. What is taken is gone: whoever
 * takes a row writes it back or leaves it to the database, and after a rollback nothing is left here.
 */
export class RecentRows {
  readonly #sessions = new Map<string, SessionRow>();
  readonly #claims = new Map<string, { task: TaskRow | null; attempt: AttemptRow | null }>();

  putSession(row: SessionRow): void {
    if (row.ended_at !== null || (row.input?.length ?? 0) > MAX_TEXT) return;
    if (this.#sessions.size >= MAX_ROWS) dropOldest(this.#sessions);
    this.#sessions.set(row.id, row);
  }

  takeSession(id: string): SessionRow | undefined {
    const row = this.#sessions.get(id);
    if (row !== undefined) this.#sessions.delete(id);
    return row;
  }

  /** A task that was just claimed, with its attempt. */
  putClaim(task: TaskRow, attempt: AttemptRow): void {
    if (task.parameters.length > MAX_TEXT) return;
    if (this.#claims.size >= MAX_ROWS) dropOldest(this.#claims);
    this.#claims.set(task.id, { task, attempt });
  }

  takeTask(id: string): TaskRow | undefined {
    const claim = this.#claims.get(id);
    if (claim?.task == null) return undefined;
    const { task } = claim;
    claim.task = null;
    return task;
  }

  takeAttempt(taskId: string, n: number): AttemptRow | undefined {
    const claim = this.#claims.get(taskId);
    if (claim?.attempt?.n !== n) return undefined;
    const { attempt } = claim;
    claim.attempt = null;
    return attempt;
  }

  /** The task or its attempt is written without having been taken. */
  dropClaim(taskId: string): void {
    this.#claims.delete(taskId);
  }

  /** What is kept now, for a comparison with the rows. */
  kept(): { sessions: readonly SessionRow[]; tasks: readonly TaskRow[]; attempts: readonly AttemptRow[] } {
    const claims = [...this.#claims.values()];
    return {
      sessions: [...this.#sessions.values()],
      tasks: claims.flatMap(({ task }) => task ?? []),
      attempts: claims.flatMap(({ attempt }) => attempt ?? []),
    };
  }

  clear(): void {
    this.#sessions.clear();
    this.#claims.clear();
  }
}

function dropOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

import type { Database } from "./database.ts";
import { INSERT_TASK, insertValues, type StoredTask, toTaskRow, updateOf } from "./stored-task.ts";
import type { TaskRow } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/**
 * The tasks that one transition works on: each is read once, is the same object for everyone, and is written once,
 * however often it changes.
 */
export class HeldTasks {
  readonly #held = new Map<string, TaskRow>();
  readonly #new = new Set<TaskRow>();
  readonly #changed = new Map<TaskRow, Set<string>>();

  load(tx: Tx, id: string): TaskRow | undefined {
    const known = this.#held.get(id) ?? tx.context.recent.takeTask(id);
    if (known !== undefined) return this.#hold(known);
    const stored = tx.get<StoredTask>("select * from tasks where id = ?", id);
    return stored === undefined ? undefined : this.#hold(toTaskRow(stored));
  }

  /** A row that a query found; what this transition already holds of it goes before. */
  found(tx: Tx, stored: StoredTask): TaskRow {
    const known = this.#held.get(stored.id) ?? tx.context.recent.takeTask(stored.id);
    return this.#hold(known ?? toTaskRow(stored));
  }

  /** A task that is not stored yet. */
  add(tx: Tx, row: TaskRow): void {
    tx.touch();
    this.#hold(row);
    this.#new.add(row);
  }

  /** Marks columns of a row for writing; one that is not held yet is written when it is added. */
  changed(tx: Tx, row: TaskRow, columns: readonly string[]): void {
    tx.touch();
    if (this.#held.get(row.id) !== row || this.#new.has(row)) return;
    const known = this.#changed.get(row);
    if (known === undefined) this.#changed.set(row, new Set(columns));
    else for (const column of columns) known.add(column);
  }

  get isWritten(): boolean {
    return this.#new.size === 0 && this.#changed.size === 0;
  }

  /** Changes before additions: what has ended makes room for what begins. */
  write(db: Database): void {
    for (const [row, columns] of this.#changed) {
      const { sql, values } = updateOf(row, columns);
      if (db.run(sql, ...values) !== 1) throw new Error(`task ${row.id} was thought to be stored`);
    }
    for (const row of this.#new) db.run(INSERT_TASK, ...insertValues(row));
    this.#changed.clear();
    this.#new.clear();
  }

  /** All that was held, as it is in the rows now. */
  rows(): Iterable<TaskRow> {
    return this.#held.values();
  }

  #hold(row: TaskRow): TaskRow {
    this.#held.set(row.id, row);
    return row;
  }
}

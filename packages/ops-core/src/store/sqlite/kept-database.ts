import { Database } from "./database.ts";

/** Data in memory that outlives its store: the connection is not closed with it, and can stop listening to it. */
export class KeptDatabase extends Database {
  /** Whoever it belonged to is dead: nothing more of theirs is written. */
  deaf = false;

  constructor() {
    super(":memory:");
  }

  override transaction(step: Parameters<Database["transaction"]>[0]): void {
    if (this.deaf) throw new Error("the process is dead");
    super.transaction(step);
  }

  override exec(sql: string): void {
    if (this.deaf) throw new Error("the process is dead");
    super.exec(sql);
  }

  override close(): void {
    this.deaf = true;
  }

  /** Lets the next one have the data, as a crash has left them. */
  async recover(): Promise<void> {
    if (this.deaf) await lastGasps();
    this.deaf = false;
    if (this.inTransaction) super.transaction("rollback");
  }

  /** Ends it for good. */
  destroy(): void {
    this.deaf = true;
    super.close();
  }
}

/** What a dead process still meant to write has met a deaf connection by then; a busy one waits the longest, ten turns. */
export async function lastGasps(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

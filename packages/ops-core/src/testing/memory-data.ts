import { KeptDatabase } from "../store/sqlite/kept-database.ts";

/** Data in memory, which outlives the process that works on it: another one may go on from there. */
export class MemoryData {
  /** For the process that opens it. */
  readonly connection = new KeptDatabase();

  /** The process that has it dies: nothing it still means to write is written. */
  cutOff(): void {
    this.connection.deaf = true;
  }

  /** Makes it ready for the next process; what was not committed is gone. */
  recover(): Promise<void> {
    return this.connection.recover();
  }

  close(): void {
    this.connection.destroy();
  }
}

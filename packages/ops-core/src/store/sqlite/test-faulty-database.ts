import { Database, type Values } from "./database.ts";

/** A connection on which any statement can be made to fail. */
export class FaultyDatabase extends Database {
  /** Called before each statement; what it throws, the statement throws. */
  before: ((sql: string) => void) | undefined;
  /** Called after each `exec`. */
  after: ((sql: string) => void) | undefined;

  override run(sql: string, ...values: Parameters<Database["run"]> extends [string, ...infer V] ? V : never): number {
    this.before?.(sql);
    return super.run(sql, ...values);
  }

  override get<T>(sql: string, ...values: Values): T | undefined {
    this.before?.(sql);
    return super.get<T>(sql, ...values);
  }

  override all<T>(sql: string, ...values: Values): T[] {
    this.before?.(sql);
    return super.all<T>(sql, ...values);
  }

  override transaction(step: Parameters<Database["transaction"]>[0]): void {
    this.before?.(step);
    super.transaction(step);
    this.after?.(step);
  }

  override exec(sql: string): void {
    this.before?.(sql);
    super.exec(sql);
    this.after?.(sql);
  }

  /** The next statements that match fail, `times` of them. */
  fail(pattern: RegExp, error: Error, times: number): void {
    let left = times;
    this.before = (sql) => {
      if (!pattern.test(sql)) return;
      left -= 1;
      if (left === 0) this.before = undefined;
      throw error;
    };
  }
}

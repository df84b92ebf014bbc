/**
 * Preloaded into a server that is watched, never into one that is timed: counts SQL statements and commits by wrapping
 * `node:sqlite`, and tells them when the parent asks.
 */
import { DatabaseSync, StatementSync } from "node:sqlite";

/** Since the start of the process. */
export interface StatementCounts {
  readonly pid: number;
  readonly statements: number;
  readonly commits: number;
}

let statements = 0;
let commits = 0;

const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function counted(sql: string): void {
  if (/^\s*commit\b/i.test(sql)) commits += 1;
  exec.call(this, sql);
};
for (const name of ["run", "get", "all", "iterate"] as const) {
  const original = StatementSync.prototype[name] as (...values: unknown[]) => unknown;
  StatementSync.prototype[name] = function counted(this: StatementSync, ...values: unknown[]): never {
    // The words of a transaction are no statements here, as when they are not prepared.
    if (/^commit$/i.test(this.sourceSQL)) commits += 1;
    if (!/^(begin|commit|rollback)\b/i.test(this.sourceSQL)) statements += 1;
    return original.apply(this, values) as never;
  };
}

process.on("message", () => {
  const counts: StatementCounts = { pid: process.pid, statements, commits };
  process.send?.(counts);
});
// Under strace nobody else would end this process when the benchmark fails.
process.on("disconnect", () => process.exit());
// Listening for questions is no reason to stay alive.
process.channel?.unref();

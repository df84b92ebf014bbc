import { Database } from "./database.ts";
import { oneLine } from "./test-predicates.ts";

/** Tables that grow with every session, or with the past. */
const GROWING = [
  "tasks",
  "past_attempts",
  "attempts",
  "sessions",
  "session_steps",
  "step_items",
  "session_labels",
  "approvals",
  "compensations",
  "signals",
  "events",
  "deliveries",
  "idempotency",
  "agent_reports",
  "schedule_fires",
];

/** A table, or one under a name of the statement's own, which has one letter. */
const SCAN = new RegExp(`^SCAN (?:${GROWING.join("|")}|[a-z])$`);

/** What may be read from end to end, and why. */
const ALLOWED: readonly RegExp[] = [
  // The last row, which is found at once, and the oldest ones.
  /from events order by position desc limit 1\b/,
  /from idempotency order by rowid limit/,
  // The parts of a view, each found by its index.
  /^select (\*|1) from attempts where task_id = \?/,
  // The saved workflows.
  /^select w\.\*, d\.document from workflows w/,
];

/** How SQLite would look through tables that grow, for each of the statements that makes it do so. */
export function scansOf(statements: Iterable<string>): string[] {
  const db = new Database(":memory:");
  const found = [...statements].flatMap((sql) => {
    const text = oneLine(sql);
    if (!/^(select|update|delete|insert|with)\b/i.test(text) || ALLOWED.some((allowed) => allowed.test(text)))
      return [];
    const plan = db.all<{ detail: string }>(`explain query plan ${sql}`);
    return plan.filter(({ detail }) => SCAN.test(detail)).map(({ detail }) => `${detail}: ${text}`);
  });
  db.close();
  return found;
}

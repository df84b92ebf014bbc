import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { emptyData } from "../../packages/ops-core/src/store/sqlite/test-rigs.ts";
import { simulate } from "./scenario.ts";

/** Tables that hold the whole past. */
const GROWING =
  "tasks|sessions|past_attempts|events|deliveries|idempotency|agent_reports|session_labels|session_steps|schedule_fires";
const SCAN = new RegExp(`^SCAN (?:${GROWING}|[a-z])(?! USING| \\\\w+ USING)$`);
/** One as most are, and two with all that some have. */
const SEEDS = [2, 19, 27];
/** Ends of a table, which are found at once: the last event, the oldest answers. */
const LAST = /from events order by position desc limit 1\b|from idempotency order by rowid limit/;

test("no statement of a running server looks through a table that grows", async () => {
  const statements = new Set<string>();
  for (const seed of SEEDS) for (const sql of (await simulate(seed)).statements) statements.add(sql);
  const folder = mkdtempSync(join(tmpdir(), "opspawn-plans-"));
  const path = join(folder, "opspawn.db");
  writeFileSync(path, emptyData());
  const db = new DatabaseSync(path);
  const scans = [...statements].flatMap((sql) => {
    if (!/^\s*(select|update|delete|insert|with)\b/i.test(sql) || LAST.test(sql)) return [];
    const plan = db.prepare(`explain query plan ${sql}`).all() as { detail: string }[];
    return plan
      .filter(({ detail }) => SCAN.test(detail))
      .map(({ detail }) => `${detail}: ${sql.replaceAll(/\s+/g, " ")}`);
  });
  db.close();
  rmSync(folder, { recursive: true });
  assert.ok(statements.size > 50);
  assert.deepEqual(scans, []);
});

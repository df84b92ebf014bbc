import assert from "node:assert/strict";
import { test } from "node:test";
import { SUITES } from "../store.suite.ts";
import { World } from "../suite/test-world.ts";
import type { Values } from "./database.ts";
import { KeptDatabase } from "./kept-database.ts";
import { recycle, rigOn } from "./test-rigs.ts";

/** Tables that grow with every session. */
const GROWING =
  "tasks|past_attempts|attempts|sessions|session_steps|step_items|session_labels|approvals|compensations|signals|events|deliveries";
const SCAN = new RegExp(`^SCAN (?:${GROWING}|[a-z])$`);

/** A connection that remembers what it was asked. */
class RememberingDatabase extends KeptDatabase {
  readonly statements = new Set<string>();

  override run(
    sql: string,
    ...values: Parameters<KeptDatabase["run"]> extends [string, ...infer V] ? V : never
  ): number {
    this.statements?.add(sql);
    return super.run(sql, ...values);
  }

  override get<T>(sql: string, ...values: Values): T | undefined {
    this.statements?.add(sql);
    return super.get<T>(sql, ...values);
  }

  override all<T>(sql: string, ...values: Values): T[] {
    this.statements?.add(sql);
    return super.all<T>(sql, ...values);
  }
}

/** What may be read from end to end, and why. */
const ALLOWED: readonly RegExp[] = [
  // The last row, which is found at once.
  /from events order by position desc limit 1/,
  // The parts of a view, each found by its index.
  /^select (\*|1) from attempts where task_id = \?/,
  // The saved workflows.
  /^select w\.\*, d\.document from workflows w/,
];

test("no statement of the specification looks through a table that grows", async () => {
  const db = new RememberingDatabase();
  const bodies: ((world: World) => Promise<void>)[] = [];
  for (const suite of SUITES) suite((_title, body) => bodies.push(body));
  const rig = rigOn(db);
  for (const body of bodies) {
    const world = await World.open({
      ...rig,
      open: async (ports) => ({ ...(await rig.open(ports)), audit: () => [] }),
    });
    await body(world);
    await world.close();
    recycle(db, []);
  }
  const scans = [...db.statements].flatMap((sql) => {
    const text = sql.replaceAll(/\s+/g, " ").trim();
    if (!/^(select|update|delete|insert|with)\b/i.test(text) || ALLOWED.some((allowed) => allowed.test(text)))
      return [];
    const plan = db.all<{ detail: string }>(`explain query plan ${sql}`);
    return plan.filter(({ detail }) => SCAN.test(detail)).map(({ detail }) => `${detail}: ${text}`);
  });
  assert.ok(db.statements.size > 100);
  assert.deepEqual(scans, []);
});

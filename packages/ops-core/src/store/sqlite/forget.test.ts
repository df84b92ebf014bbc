import assert from "node:assert/strict";
import { test } from "node:test";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import { step, workflow } from "../suite/test-definitions.ts";
import { apply, end, signal, workers, workOff } from "../suite/test-language.ts";
import { World } from "../suite/test-world.ts";
import { KeptDatabase } from "./kept-database.ts";
import type { SqliteStore } from "./store.ts";
import { rigOn } from "./test-rigs.ts";

/** Rows that name one of these, whatever their table and column. */
function traces(db: KeptDatabase, ids: readonly string[]): string[] {
  const tables = db.all<{ name: string }>("select name from sqlite_schema where type = 'table'");
  return tables.flatMap(({ name }) =>
    db
      .all<Record<string, unknown>>(`select * from ${name}`)
      .filter((row) => Object.values(row).some((value) => ids.some((id) => String(value).includes(id))))
      .map(() => name),
  );
}

async function opened(): Promise<{ db: KeptDatabase; w: World; store: SqliteStore }> {
  const db = new KeptDatabase();
  const w = await World.open(rigOn(db));
  await workers(w);
  return { db, w, store: w.raw as SqliteStore };
}

test("a session that is forgotten leaves nothing, and others go on", async () => {
  const { db, w, store } = await opened();
  await apply(w, { ...workflow([step("in")]), id: "child" });
  const definition = workflow([
    step("each", { forEach: "[1, 2]" }),
    { taskId: "ok", approval: { message: "?" } },
    { taskId: "go", wait: { signal: "go" } },
    { taskId: "child", workflow: { id: "child" } },
  ]);
  const [gone, kept] = [await w.start(definition), await w.start(definition)];
  await workOff(w);
  for (const { id } of [gone, kept]) {
    await signal(w, id, "go");
    const { items } = await w.store.approvals.list({ limit: 5 }, { session: id });
    await w.store.approvals.decide(items[0]?.id ?? "", { approved: true, by: "ann", comment: null });
    if (id === gone.id) await workOff(w);
  }
  assert.deepEqual((await end(w, gone.id))[0], "completed");
  const { items } = await w.store.sessions.list({ limit: 5 }, { parent: gone.id });
  const ids = [gone.id, ...items.map(({ id }) => id)];
  assert.equal(ids.length, 2);
  assert.deepEqual(await store.forget(ids), []);
  assert.deepEqual(traces(db, ids), []);
  await workOff(w);
  assert.equal((await end(w, kept.id))[0], "completed");
  assert.deepEqual(store.disagreements(), []);
  await w.close();
});

test("a session is kept while the slot of one of its tasks may still be in use", async () => {
  const { db, w, store } = await opened();
  const once = { retry: { maxAttempts: 1 }, timeout: "1m" };
  const { id } = await w.start(workflow([step("a", once)]));
  await w.wait(MINUTE + SECOND);
  assert.equal((await end(w, id))[0], "failed");
  assert.deepEqual(await store.forget([id]), [id]);
  assert.ok(traces(db, [id]).includes("tasks"));
  await w.wait(MINUTE + SECOND);
  // The newest event stays, whosever it is.
  await w.start(workflow([step("another")]));
  assert.deepEqual(await store.forget([id]), []);
  assert.deepEqual(traces(db, [id]), []);
  await w.close();
});

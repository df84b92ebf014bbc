import assert from "node:assert/strict";
import { test } from "node:test";
import { step, workflow } from "../suite/test-definitions.ts";
import { limited, TENANT } from "../suite/test-limits.ts";
import { World } from "../suite/test-world.ts";
import { KeptDatabase } from "./kept-database.ts";
import { rigOn } from "./test-rigs.ts";

const SESSIONS = 100;
const ITEMS = 100;

test("10,000 tasks that wait for one key keep no task of another key waiting, and are soon looked over", async () => {
  const rig = rigOn(new KeptDatabase());
  const w = await World.open({ ...rig, open: async (ports) => ({ ...(await rig.open(ports)), audit: () => [] }) });
  await w.agent("worker", { capabilities: ["work"], maxConcurrency: 4 });
  const forEach = Array.from({ length: ITEMS }, (_, i) => i);
  const wide = w.session(workflow([step("a", { forEach, concurrency: { key: TENANT, limit: 2, items: ITEMS } })]), {
    data: { tenant: "wide" },
  });
  for (let i = 0; i < SESSIONS; i += 1) await w.raw.sessions.start({ ...wide, sessionId: w.ids.uuid() });
  const { items } = await w.store.limits.list({ limit: 9 }, {});
  assert.deepEqual(
    items.map(({ key, held, waiting }) => [key, held, waiting]),
    [["wide", 2, SESSIONS * ITEMS - 2]],
  );
  w.sent.length = 0;
  for (let i = 0; i < 50; i += 1) {
    w.clock.advance(1_000);
    const { id } = await limited(w, `small-${i % 2}`);
    const attempt = w.take();
    assert.equal(attempt.sessionId, id);
    await w.complete(attempt);
    assert.equal(await w.dispatch(), 0, "the wide key is still full");
  }
  await w.close();
});

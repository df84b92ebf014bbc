import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { OpspawnError } from "@opspawn/contract";
import { listOf } from "../suite/test-definitions.ts";
import { need, World, withCode } from "../suite/test-world.ts";
import { Database } from "./database.ts";
import { FaultyDatabase } from "./test-faulty-database.ts";
import { brokenInvariants } from "./test-invariants.ts";
import { openedOn } from "./test-rigs.ts";

/** A world whose connection can be made to fail. */
async function onFaulty(body: (w: World, db: FaultyDatabase) => Promise<void>, path = ":memory:"): Promise<void> {
  const db = new FaultyDatabase(path);
  const world = await World.open({
    open: async (ports) => openedOn(db, ports, path, () => db.close()),
    remove: async () => undefined,
  });
  try {
    await body(world, db);
    db.before = undefined;
    db.after = undefined;
    await world.verify();
  } finally {
    await world.close();
  }
}

test("a transition that fails after it has written leaves nothing behind, in rows, log or memory", async () => {
  const places = [/^insert into tasks/, /^insert into sessions/, /^insert into events/];
  for (const place of places) {
    await onFaulty(async (w, db) => {
      const agentId = await w.agent("worker", { capabilities: ["work"] });
      const before = await w.store.events.list(0, 1_000);
      // Twice: a batch is run again, each transition apart, after the first failure.
      db.fail(place, new Error("planted"), 2);
      const session = w.session(listOf("a"), { saveWorkflow: true, labels: { a: "1" } });
      await assert.rejects(w.store.sessions.start(session), withCode("internal"), String(place));
      assert.equal(await w.store.sessions.get(session.sessionId), null);
      assert.equal(await w.store.workflows.get("flow"), null);
      assert.equal(await w.store.workflows.definition(session.planHash), null);
      assert.deepEqual(await w.store.events.list(0, 1_000), before);
      assert.deepEqual([await w.slots(agentId), w.sent], ["0/0", []]);
      await w.store.sessions.start(session);
      await w.complete(w.take());
    });
  }
});

test("where the disk is full for one transition alone, that one is refused as such", async () => {
  await onFaulty(async (w, db) => {
    await w.agent("worker", { capabilities: ["work"] });
    // Twice: a batch is run again, each transition apart, after the first failure.
    db.fail(/^insert into tasks/, new Error("database or disk is full"), 2);
    await assert.rejects(w.task(), withCode("storage_full"));
    await w.task();
    await w.complete(w.take());
  });
});

test("one that fails does not disturb the others of its batch", async () => {
  await onFaulty(async (w, db) => {
    await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    let inserts = 0;
    db.before = (sql) => {
      // Once in the batch, and once when it is run again with each transition apart.
      if (sql.startsWith("insert into tasks") && [2, 4].includes(++inserts)) throw new Error("planted");
    };
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => w.task()));
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "fulfilled"],
    );
    assert.equal(w.sent.length, 3);
  });
});

test("hole 4: a failed COMMIT has an unknown outcome: 503 for all of the batch, and memory starts anew", async () => {
  await onFaulty(async (w, db) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 2 });
    db.fail(/^commit/, new Error("disk I/O error"), 1);
    const results = await Promise.allSettled([w.task(), w.report(agentId, "idle"), w.store.agents.remove("none")]);
    for (const result of results) {
      assert.ok(result.status === "rejected" && result.reason instanceof OpspawnError);
      assert.equal(result.reason.code, "unavailable");
    }
    assert.deepEqual([w.sent, (await w.store.tasks.list({ limit: 9 }, {})).items], [[], []]);
    await w.task();
    await w.complete(w.take());
  });
});

test("hole 4: a COMMIT that was done all the same is found again", async () => {
  await onFaulty(async (w, db) => {
    await w.agent("worker", { capabilities: ["work"] });
    db.after = (sql) => {
      if (sql !== "commit") return;
      db.after = undefined;
      throw new Error("the answer was lost");
    };
    await assert.rejects(w.task(), withCode("unavailable"));
    assert.equal(w.sent.length, 0);
    const [task] = (await w.store.tasks.list({ limit: 9 }, {})).items;
    assert.equal(task?.status, "running");
    await w.wait(3_000_000);
    const [again] = await w.store.attempts.adopt(10, new Set());
    assert.deepEqual([again?.taskId, again?.send], [task?.id, 2]);
    await w.complete(w.take());
  });
});

test("a batch that cannot even begin is refused as a whole", async () => {
  await onFaulty(async (w, db) => {
    db.fail(/^begin/, new Error("database is locked"), 1);
    await assert.rejects(w.task(), withCode("unavailable"));
    await w.task();
  });
});

test("hole 4: on a full disk new work is refused cleanly, reads go on, and it recovers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-full-"));
  try {
    await onFaulty(
      async (w, db) => {
        await w.agent("worker", { capabilities: ["work"], maxConcurrency: 50 });
        const { id } = await w.task();
        const attempt = w.take();
        // Migrations leave empty pages behind, which would be filled first.
        db.exec("vacuum");
        const pages = need(db.get<{ page_count: number }>("pragma page_count"), "count").page_count;
        db.get(`pragma max_page_count = ${pages + 4}`);
        const large = JSON.stringify({ text: "x".repeat(20_000) });
        const results = await Promise.allSettled(Array.from({ length: 8 }, () => w.task({ parameters: large })));
        const refused = results.filter((result) => result.status === "rejected");
        assert.ok(refused.length > 0);
        for (const { reason } of refused) assert.equal((reason as OpspawnError).code, "storage_full");
        assert.equal((await w.getTask(id)).status, "running");
        assert.equal(w.sent.length, results.length - refused.length);
        await assert.rejects(w.task({ parameters: large }), withCode("storage_full"));
        db.get(`pragma max_page_count = ${pages + 10_000}`);
        await w.task({ parameters: large });
        await w.complete(attempt);
        assert.equal(db.get<{ integrity_check: string }>("pragma integrity_check")?.integrity_check, "ok");
      },
      join(folder, "full.db"),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("hole 4: when SQLite rolls everything back, the whole batch is refused and nothing of it remains", async () => {
  await onFaulty(async (w, db) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    let inserts = 0;
    db.before = (sql) => {
      if (!sql.startsWith("insert into tasks") || ++inserts !== 3) return;
      db.before = undefined;
      db.exec("rollback");
      throw new Error("database or disk is full");
    };
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => w.task()));
    for (const result of results) {
      assert.equal(result.status === "rejected" && (result.reason as OpspawnError).code, "storage_full");
    }
    assert.deepEqual([await w.slots(agentId), w.sent], ["0/0", []]);
    await w.task();
    await w.complete(w.take());
  });
});

test("closing writes what is queued and refuses what comes after; a late wake-up of the writer harms nobody", async () => {
  const db = new FaultyDatabase(":memory:");
  const w = await World.open({
    open: async (ports) => openedOn(db, ports, ":memory:", () => db.close()),
    remove: async () => undefined,
  });
  const queued = w.raw.tasks.create(w.newTask());
  const closed = w.raw.close();
  assert.equal((await queued).task.status, "pending");
  await closed;
  await assert.rejects(w.raw.tasks.create(w.newTask()), withCode("shutting_down"));
  await assert.rejects(w.raw.tasks.get("x"), withCode("shutting_down"));
  await new Promise((resolve) => setImmediate(resolve));
  await w.raw.close();
});

test("a process that dies with work queued writes none of it, and the next one knows nothing of it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-dead-"));
  const path = join(folder, "opspawn.db");
  try {
    const w = await World.open({
      open: async (ports) => {
        const db = new Database(path);
        return openedOn(db, ports, path, () => db.close());
      },
      remove: async () => undefined,
    });
    const kept = await w.task();
    const lost = w.raw.tasks.create(w.newTask()).catch(() => "never answered");
    await w.crash();
    await lost;
    assert.deepEqual(
      (await w.store.tasks.list({ limit: 9 }, {})).items.map(({ id }) => id),
      [kept.id],
    );
    await w.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("more waiting intake than memory should hold is refused, outcomes are not", async () => {
  await onFaulty(async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await w.task();
    const attempt = w.take();
    const idle = w.newTask({ readyAt: w.clock.now() + 1_000_000 });
    const intake = Array.from({ length: 10_002 }, (_, i) => w.raw.tasks.create({ ...idle, taskId: `task_${i}` }));
    const outcome = w.complete(attempt);
    const results = await Promise.allSettled(intake);
    const refused = results.filter((result) => result.status === "rejected");
    assert.deepEqual(
      refused.map(({ reason }) => (reason as OpspawnError).code),
      ["overloaded", "overloaded"],
    );
    assert.equal((await outcome).type, "accepted");
  });
});

test("hole 4: in a batch signs of life and outcomes come before what they would expire, new work comes last", async () => {
  await onFaulty(async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], heartbeat: true, timeout: 60_000_000_000 });
    const first = await w.task();
    await w.acknowledge(w.take());
    for (let i = 0; i < 4; i += 1) {
      w.clock.advance(2_900_000);
      await w.store.process.beat();
    }
    const created = w.task({ name: "new" });
    const expired = w.expire();
    const heard = w.report(agentId, "active");
    await Promise.all([created, expired, heard]);
    assert.equal((await w.getTask(first.id)).status, "running");
  });
});

test("F20: a second process on the same file is refused, and the first goes on", () => {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-two-"));
  try {
    const first = new Database(join(folder, "opspawn.db"));
    assert.throws(() => new Database(join(folder, "opspawn.db"), undefined, 0), withCode("unavailable"));
    first.run("insert into meta (key, value) values ('a', 'b')");
    assert.deepEqual(brokenInvariants(first), []);
    first.close();
    new Database(join(folder, "opspawn.db")).close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("data of a newer version is refused, and left as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-newer-"));
  try {
    const path = join(folder, "opspawn.db");
    const db = new Database(path);
    db.exec("pragma user_version = 9999");
    db.close();
    assert.throws(() => new Database(path), withCode("internal"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

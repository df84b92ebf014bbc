import assert from "node:assert/strict";
import { HOUR, MINUTE } from "../../domain/clock.ts";
import type { Page, Paged } from "../../domain/store.ts";
import type { StoredWorkflow } from "../../domain/workflows/stored.ts";
import { listOf, step, workflow } from "./test-definitions.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { need, type World, withCode } from "./test-world.ts";

/** Workflows, tools, keys, and how lists are read. */
export const catalogSuite: Suite = (on) => {
  workflows(on);
  toolsAndKeys(on);
  lists(on);
};

function stored(id: string, version: string, hash = `${id} ${version}`): StoredWorkflow {
  const document = JSON.stringify({ id, version, hash });
  return { id, version, name: id, description: null, steps: 1, hash, document, appliedAt: 0 };
}

/** Everything of a list, two at a time. */
async function readAll<T>(list: (page: Page) => Promise<Paged<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ limit: 2, cursor });
    assert.ok(page.items.length <= 2);
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

function workflows(on: Declare): void {
  on("a workflow is kept by version; by id alone it is the version applied last", async (w) => {
    assert.deepEqual(await w.store.workflows.apply(stored("a", "1")), { created: true, appliedAt: w.clock.now() });
    w.clock.advance(1);
    await w.store.workflows.apply(stored("a", "2"));
    assert.equal((await w.store.workflows.get("a"))?.version, "2");
    w.clock.advance(1);
    assert.deepEqual(await w.store.workflows.apply(stored("a", "1")), { created: false, appliedAt: w.clock.now() });
    assert.deepEqual(await w.store.workflows.get("a"), { ...stored("a", "1"), appliedAt: w.clock.now() });
    assert.equal((await w.store.workflows.get("a", "2"))?.version, "2");
    assert.equal(await w.store.workflows.get("a", "3"), null);
    assert.equal(await w.store.workflows.get("b"), null);
    const versions = await readAll((page) => w.store.workflows.versions("a", page));
    assert.deepEqual(
      versions.map(({ version }) => version),
      ["1", "2"],
    );
  });

  on("a known version with another body is refused and changes nothing", async (w) => {
    await w.store.workflows.apply(stored("a", "1"));
    const other = stored("a", "1", "another hash");
    await assert.rejects(w.store.workflows.apply(other), withCode("workflow_version_exists"));
    assert.equal(await w.store.workflows.definition("another hash"), null);
    assert.equal((await w.store.workflows.get("a"))?.hash, "a 1");
  });

  on("each workflow is listed once, as its current version", async (w) => {
    for (const [id, version] of [
      ["c", "1"],
      ["a", "1"],
      ["b", "1"],
      ["b", "2"],
      ["d", "2"],
      ["d", "1"],
    ] as const) {
      await w.store.workflows.apply(stored(id, version));
      w.clock.advance(1);
    }
    const listed = await readAll((page) => w.store.workflows.list(page));
    assert.deepEqual(
      listed.map(({ id, version }) => `${id} ${version}`),
      ["a 1", "b 2", "c 1", "d 1"],
    );
  });

  on("versions applied in the same instant are told apart", async (w) => {
    for (const version of ["1", "2", "3"]) await w.store.workflows.apply(stored("a", version));
    assert.equal((await w.store.workflows.get("a"))?.version, "3");
    const versions = await readAll((page) => w.store.workflows.versions("a", page));
    assert.deepEqual(
      versions.map(({ version }) => version),
      ["3", "2", "1"],
    );
    assert.equal((await w.store.workflows.list({ limit: 9 })).items.length, 1);
  });

  on("a snapshot is kept by its hash and is no workflow", async (w) => {
    await w.store.workflows.snapshot("h", "{}");
    await w.store.workflows.snapshot("h", "{}");
    assert.equal(await w.store.workflows.definition("h"), "{}");
    assert.deepEqual((await w.store.workflows.list({ limit: 9 })).items, []);
  });
}

function toolsAndKeys(on: Declare): void {
  on("tools are registered, listed by name, and removed", async (w) => {
    const tool = (name: string) => ({
      name,
      description: `${name}!`,
      parameters: { type: "object" },
      endpoint: "http://tool.test/",
      maxConcurrency: 3,
      registeredAt: w.clock.now(),
    });
    for (const name of ["c", "a", "b"])
      assert.deepEqual(await w.store.tools.register(tool(name)), { tool: tool(name), replayed: false });
    assert.deepEqual(await w.store.tools.get("a"), tool("a"));
    assert.deepEqual(
      (await readAll((page) => w.store.tools.list(page))).map(({ name }) => name),
      ["a", "b", "c"],
    );
    assert.equal(await w.store.tools.remove("a"), true);
    assert.equal(await w.store.tools.remove("a"), false);
    assert.equal(await w.store.tools.get("a"), null);
    await w.store.tools.register(tool("a"));
  });

  on("keys are created, listed newest first, and revoked once", async (w) => {
    for (const id of ["k1", "k2", "k3"]) {
      await w.store.keys.create(w.key(id, id === "k2" ? "agent" : null));
      w.clock.advance(1);
    }
    assert.deepEqual(
      (await readAll((page) => w.store.keys.list(page))).map(({ id }) => id),
      ["k3", "k2", "k1"],
    );
    const revokedAt = w.clock.now();
    assert.equal((await w.store.keys.revoke("k1"))?.revokedAt, revokedAt);
    w.clock.advance(1);
    assert.equal((await w.store.keys.revoke("k1"))?.revokedAt, revokedAt);
    assert.equal(await w.store.keys.revoke("none"), null);
    assert.equal(await w.store.keys.get("none"), null);
    assert.equal((await w.store.keys.get("k2"))?.agentId, "agent");
  });

  on("a key in use ends those of earlier registrations of its agent, an hour later, and no other keys", async (w) => {
    const registered = (id: string, agentId: string) => ({ ...w.key(id, agentId), registered: true });
    const soon = w.clock.now() + 5;
    await w.store.keys.create({ ...registered("ends sooner", "a"), expiresAt: soon });
    await w.store.keys.create(registered("old", "a"));
    await w.store.keys.create(w.key("made for it", "a"));
    await w.store.keys.create(registered("of another", "b"));
    w.clock.advance(10);
    await w.store.keys.create(registered("new", "a"));
    const endOf = async (id: string) => (await w.store.keys.get(id))?.expiresAt;
    const use = async (id: string) => w.store.keys.used((await w.store.keys.get(id)) ?? assert.fail(id));
    await use("old");
    await use("made for it");
    assert.deepEqual([await endOf("old"), await endOf("new")], [null, null]);
    const end = w.clock.now() + HOUR;
    await use("new");
    w.clock.advance(10);
    await use("new");
    assert.equal(await endOf("old"), end, "the first use counts");
    assert.equal(await endOf("ends sooner"), soon);
    for (const id of ["made for it", "of another", "new"]) assert.equal(await endOf(id), null, id);
  });
}

function lists(on: Declare): void {
  const ids = <T extends { id: string }>(items: readonly T[]) => items.map(({ id }) => id);

  on("sessions are listed newest first, by status, workflow, agent, label and time", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
    const t0 = w.clock.now();
    const done = await w.start(listOf("a"), { labels: { team: "red", size: "big" } });
    await w.complete(w.take());
    w.clock.advance(MINUTE);
    const waiting = await w.start(workflow([step("b")], { id: "other" }), {
      labels: { team: "red" },
      startAt: w.clock.now() + MINUTE,
    });
    w.clock.advance(MINUTE);
    const path = await w.start(workflow([{ taskId: "x" }], { id: "third" }), { agentId, labels: { team: "blue" } });
    const list = async (filter: Parameters<World["store"]["sessions"]["list"]>[1]) =>
      ids((await w.store.sessions.list({ limit: 9 }, filter)).items);
    assert.deepEqual(await list({}), [path.id, waiting.id, done.id]);
    assert.deepEqual(ids(await readAll((page) => w.store.sessions.list(page, {}))), [path.id, waiting.id, done.id]);
    assert.deepEqual(await list({ status: "completed" }), [done.id]);
    assert.deepEqual(await list({ workflow: "other" }), [waiting.id]);
    assert.deepEqual(await list({ agent: agentId }), [path.id, done.id]);
    assert.deepEqual(await list({ label: { key: "team", value: "red" } }), [waiting.id, done.id]);
    assert.deepEqual(await list({ label: { key: "team", value: "big" } }), []);
    assert.deepEqual(await list({ since: t0 + MINUTE, until: t0 + 2 * MINUTE }), [waiting.id]);
    assert.deepEqual(await list({ status: "completed", workflow: "other" }), []);
  });

  on("labels are replaced as a whole, also after the end", async (w) => {
    const session = await w.start(listOf("a"), { labels: { a: "1", b: "2" } });
    const labelled = await w.store.sessions.label(session.id, { b: "3" });
    assert.deepEqual(labelled.labels, { b: "3" });
    const by = async (key: string, value: string) =>
      (await w.store.sessions.list({ limit: 9 }, { label: { key, value } })).items.length;
    assert.deepEqual([await by("a", "1"), await by("b", "2"), await by("b", "3")], [0, 0, 1]);
    await w.store.sessions.cancel(session.id, "no more");
    assert.deepEqual((await w.store.sessions.label(session.id, {})).labels, {});
    assert.equal(await by("b", "3"), 0);
    await assert.rejects(w.store.sessions.label("none", {}), withCode("session_not_found"));
  });

  on("tasks are listed newest first, by status, session, agent and as dead letters", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("a", "b"));
    await w.complete(w.take());
    const dead = await w.task({ deadline: 1, requirement: { kind: "agentName", agentName: "nobody" } });
    await w.wait(1);
    const list = async (filter: Parameters<World["store"]["tasks"]["list"]>[1]) =>
      (await w.store.tasks.list({ limit: 9 }, filter)).items;
    assert.equal((await list({})).length, 3);
    assert.deepEqual(
      (await list({ session: session.id })).map(({ stepId }) => stepId),
      ["b", "a"],
    );
    assert.deepEqual(
      (await list({ status: "running" })).map(({ stepId }) => stepId),
      ["b"],
    );
    assert.equal((await list({ agent: agentId })).length, 2);
    assert.deepEqual(ids(await list({ deadLetter: true })), [dead.id]);
    assert.equal((await readAll((page) => w.store.tasks.list(page, {}))).length, 3);
    assert.equal(await w.store.tasks.get("task_none"), null);
    assert.deepEqual(await w.store.tasks.attempts("task_none"), []);
  });

  on("a cursor that is not one of ours is refused", async (w) => {
    for (const cursor of ["", "x", "bnVsbA", Buffer.from('[1,{"a":1}]').toString("base64url")]) {
      await assert.rejects(w.store.sessions.list({ limit: 2, cursor }, {}), withCode("invalid_cursor"));
      await assert.rejects(w.store.workflows.versions("a", { limit: 2, cursor }), withCode("invalid_cursor"));
    }
  });

  on("hole 26: the log is read by position, a stream by its own sequence, without gaps, from any place", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(listOf("a", "b"));
    await w.complete(w.take());
    await w.complete(w.take());
    const all = await w.store.events.list(0, 1_000);
    assert.ok(all.length > 10);
    for (let after = 0; after <= all.length; after += 1) {
      assert.deepEqual(await w.store.events.list(after, 3), all.slice(after, after + 3));
    }
    const own = all.filter(({ stream }) => stream === session.id);
    for (let after = 0; after <= own.length; after += 1) {
      assert.deepEqual(await w.store.events.list(after, 2, session.id), own.slice(after, after + 2));
    }
    assert.deepEqual(await w.store.events.list(0, 10, "none"), []);
    for (let position = 0; position <= all.length + 1; position += 1) {
      const before = own.filter((event) => event.position <= position).at(-1)?.sequence ?? 0;
      assert.equal(await w.store.events.sequenceAt(session.id, position), before, `at ${position}`);
    }
    assert.equal(await w.store.events.sequenceAt("none", 5), 0);
    assert.equal(need(own[0], "event").data.workflowId, "flow");
  });

  on("reports beyond the newest thousand are pruned", async (w) => {
    const agentId = await w.agent("chatty");
    const reports = Array.from({ length: 1_003 }, () => w.report(agentId, "idle"));
    await Promise.all(reports);
    assert.equal(await w.store.process.prune(2), 2);
    assert.equal(await w.store.process.prune(2), 1);
    assert.equal(await w.store.process.prune(2), 0);
  });

  on("each process has an epoch of its own, and may say that it goes", async (w) => {
    const first = w.store.process.epoch;
    await w.store.process.beat();
    await w.store.process.resign();
    await w.crash();
    assert.ok(w.store.process.epoch > first);
  });
}

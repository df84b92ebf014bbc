import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { allOperations, operations } from "@opspawn/contract";
import { OpspawnClient } from "./client.ts";
import {
  type FakeClock,
  FakeFailure,
  FakeServer,
  fakeChance,
  fakeClock,
  sampleAgent,
  sampleApproval,
  sampleApprovalLink,
  sampleAssignment,
  sampleCancellation,
  sampleDelivery,
  sampleEvent,
  sampleFire,
  sampleKey,
  sampleLimit,
  sampleSchedule,
  sampleSession,
  sampleSessionDetail,
  sampleTask,
  sampleTool,
  sampleWorkflow,
} from "./testing/index.ts";

const AT = "2026-05-01T12:00:00.000000Z";
const SECOND = 1_000_000;

let fake: FakeServer;
let clock: FakeClock;
let client: OpspawnClient;

beforeEach(async () => {
  fake = await FakeServer.start();
  clock = fakeClock();
  client = new OpspawnClient({ baseUrl: fake.baseUrl, clock, chance: fakeChance() });
});

afterEach(() => fake.close());

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const one = <T>(item: T) => ({ items: [item], nextCursor: null });

test("every operation of the contract is a method of its noun, and sends what the contract declares", async () => {
  const { agents, workflows, sessions, tasks, schedules, approvals, deliveries } = operations;
  const { tools, limits, keys, events, metrics } = operations;
  const [session, task, agent, workflow] = [sampleSession(), sampleTask(), sampleAgent(), sampleWorkflow()];
  const begun = { sessionId: "s", workflowId: "w", workflowVersion: "1", status: "started" as const };
  const why = { status: "running" as const, blocked: null, explanation: ["It runs."] };
  fake
    .on(agents.register, { agent, agentKey: "opk_2_s" })
    .on(agents.list, one(agent))
    .on(agents.get, agent)
    .on(agents.remove, { agentId: "a", reassigned: 1 })
    .on(agents.states, one({ state: "idle", details: null, timestamp: AT, receivedAt: AT }))
    .on(agents.claim, { tasks: [sampleAssignment()], cancelled: [] })
    .on(workflows.apply, { workflow, created: true, warnings: [] })
    .on(workflows.validate, { valid: true, warnings: [] })
    .on(workflows.list, one(workflow))
    .on(workflows.get, { ...workflow, definition: { id: "w" } })
    .on(workflows.versions, one(workflow))
    .on(sessions.start, begun)
    .on(sessions.get, sampleSessionDetail())
    .on(sessions.list, one(session))
    .on(sessions.retry, { ...begun, forkedFrom: "s" })
    .on(sessions.fork, { ...begun, forkedFrom: "s" })
    .on(sessions.pause, session)
    .on(sessions.resume, session)
    .on(sessions.cancel, { ...session, cancellations: [] })
    .on(sessions.cancellations, one(sampleCancellation()))
    .on(sessions.signal, { sessionId: "s", name: "go", delivered: true })
    .on(sessions.label, session)
    .on(sessions.why, { sessionId: "s", ...why })
    .on(sessions.events, { items: [sampleEvent()], next: 1 })
    .on(tasks.list, one(task))
    .on(tasks.get, { ...task, parameters: { a: 1 }, attemptList: [], cancellations: [] })
    .on(tasks.why, { taskId: "t", ...why })
    .on(tasks.result, { taskId: "t", status: "completed", accepted: true })
    .on(tasks.lease, { taskId: "t", leaseUntil: AT, cancellation: null })
    .on(tasks.cancellation, { taskId: "t", cancellationId: "can_1", stage: "stopped" })
    .on(tasks.redrive, { redriveOf: "t", taskId: "t2", sessionId: null })
    .on(tasks.cancel, { ...task, cancellations: [] })
    .on(tasks.create, task)
    .on(tasks.events, { items: [sampleEvent()], next: 1 })
    .on(schedules.create, sampleSchedule())
    .on(schedules.list, one(sampleSchedule()))
    .on(schedules.get, sampleSchedule())
    .on(schedules.update, sampleSchedule())
    .on(schedules.pause, sampleSchedule())
    .on(schedules.resume, sampleSchedule())
    .on(schedules.trigger, { scheduleId: "sch_1", sessionId: "s", sequence: 1, dueAt: AT })
    .on(schedules.backfill, { dryRun: true, items: [], next: null })
    .on(schedules.next, { scheduleId: "sch_1", timeZone: "UTC", items: [AT] })
    .on(schedules.fires, one(sampleFire()))
    .on(schedules.remove, { scheduleId: "sch_1", name: "nightly" })
    .on(approvals.list, one(sampleApproval()))
    .on(approvals.get, sampleApproval())
    .on(approvals.why, { approvalId: "apr_1", ...why, status: "pending" })
    .on(schedules.why, { scheduleId: "sch_1", ...why, status: "active" })
    .on(deliveries.why, { deliveryId: "dlv_1", ...why, status: "pending" })
    .on(metrics.read, { items: [] })
    .on(approvals.approve, sampleApproval({ status: "approved" }))
    .on(approvals.reject, sampleApproval({ status: "rejected" }))
    .on(approvals.link, sampleApprovalLink())
    .on(deliveries.list, one(sampleDelivery()))
    .on(deliveries.get, sampleDelivery())
    .on(tools.register, sampleTool())
    .on(tools.list, one(sampleTool()))
    .on(tools.remove, { name: "slack.post" })
    .on(limits.list, one(sampleLimit()))
    .on(keys.create, { key: sampleKey(), secret: "opk_3_s" })
    .on(keys.list, one(sampleKey()))
    .on(keys.revoke, sampleKey())
    .on(events.list, { items: [sampleEvent()], next: 1 });

  await client.agents.register({ agentName: "a", channel: "pull", capabilities: ["x"], maxConcurrency: 2 });
  await client.agents.list({ capability: "x", state: "idle", limit: 5 });
  await client.agents.get("a");
  await client.agents.remove("a");
  await client.agents.states("a", { limit: 5 });
  await client.agents.claim("a", { max: 3 });
  await client.workflows.apply("id: w");
  await client.workflows.validate({ id: "w" });
  await client.workflows.list({ limit: 5 });
  await client.workflows.get("w", { version: "2" });
  await client.workflows.versions("w");
  await client.sessions.start({ workflow: { id: "w" }, agentId: "a", delay: "1s", callbackUrl: "http://127.0.0.1/x" });
  await client.sessions.get("s", { wait: "1s" });
  await client.sessions.list({ status: "failed", label: "a=b", since: AT });
  await client.sessions.retry("s", { labels: { a: "b" } });
  await client.sessions.fork("s", { from: "a", parameters: { x: 1 } });
  await client.sessions.pause("s", { reason: "why not" });
  await client.sessions.resume("s");
  await client.sessions.cancel("s", { reason: "why not" });
  await client.sessions.cancellations("s", { limit: 5 });
  await client.sessions.signal("s", "go", { payload: { n: 1 } });
  await client.sessions.label("s", { a: "b" });
  await client.sessions.why("s");
  await client.sessions.events("s", { after: 3, type: "task." });
  await client.tasks.create({ name: "n", capability: "c" });
  await client.tasks.list({ deadLetter: "true", session: "s" });
  await client.tasks.get("t");
  await client.tasks.why("t");
  await client.tasks.result("t", { token: "1.a", status: "failed", error: { message: "no" } });
  await client.tasks.lease("t", "1.a");
  await client.tasks.cancellation("t", { token: "1.a", status: "stopped" });
  await client.tasks.redrive("t");
  await client.tasks.cancel("t");
  await client.tasks.events("t", { wait: "1s" });
  await client.schedules.create({ name: "nightly", workflowId: "w", cron: "0 2 * * *", timeZone: "Europe/Berlin" });
  await client.schedules.list({ paused: "true", label: "a=b" });
  await client.schedules.get("nightly");
  await client.schedules.why("nightly");
  await client.schedules.update("nightly", { name: "nightly", workflowId: "w", every: "1h" });
  await client.schedules.pause("nightly", { note: "holidays" });
  await client.schedules.resume("nightly");
  await client.schedules.trigger("nightly");
  await client.schedules.backfill("nightly", { from: AT, dryRun: true });
  await client.schedules.next("nightly", { count: 3 });
  await client.schedules.fires("nightly", { outcome: "failed" });
  await client.schedules.remove("nightly");
  await client.approvals.list({ status: "pending", session: "s", workflow: "w" });
  await client.approvals.get("apr_1");
  await client.approvals.why("apr_1");
  await client.approvals.approve("apr_1", { comment: "fine", subjectHash: "h" });
  await client.approvals.reject("apr_1");
  await client.approvals.link("apr_1", { decision: "approve", expiresIn: "1h", for: "carol" });
  await client.deliveries.list({ status: "failed" });
  await client.deliveries.get("dlv_1");
  await client.deliveries.why("dlv_1");
  await client.tools.register({ name: "slack.post", endpoint: "http://127.0.0.1/x" });
  await client.tools.list();
  await client.tools.remove("slack.post");
  await client.limits.list({ key: "k", limit: 5 });
  await client.keys.create({ name: "ci", scopes: ["admin"], expiresIn: "30d" });
  await client.keys.list();
  await client.keys.revoke("key_1");
  await client.events.list({ stream: "s", after: 3, wait: "1s" });

  await client.metrics.read();
  assert.deepEqual(
    fake.calls.map((call) => call.id),
    allOperations.map((operation) => operation.id).toSorted((a, b) => order(a) - order(b)),
  );
});

// The order in which the test calls them, by noun.
function order(id: string): number {
  const nouns = [
    "agents",
    "workflows",
    "sessions",
    "tasks",
    "schedules",
    "approvals",
    "deliveries",
    "tools",
    "limits",
    "keys",
    "events",
    "metrics",
  ];
  const index = nouns.indexOf(id.split(".")[0] ?? "");
  return (
    index * 100 +
    allOperations.filter((operation) => operation.id.startsWith(`${nouns[index]}.`)).findIndex((o) => o.id === id)
  );
}

test("a list is read page by page, as far as it is asked for", async () => {
  const [a, b, c] = ["a", "b", "c"].map((sessionId) => sampleSession({ sessionId }));
  assert.ok(a && b && c);
  fake.on(operations.sessions.list, { items: [a, b], nextCursor: "p2" }, { items: [c], nextCursor: null });
  const ids: string[] = [];
  for await (const session of client.sessions.listAll({ status: "failed" })) ids.push(session.sessionId);
  assert.deepEqual(ids, ["a", "b", "c"]);
  assert.deepEqual(
    fake.calls.map((call) => call.query),
    [
      { limit: "200", status: "failed" },
      { limit: "200", status: "failed", cursor: "p2" },
    ],
  );
});

test("a server that repeats its cursor does not catch the reader in a loop", async () => {
  fake.on(operations.tools.list, { items: [sampleTool()], nextCursor: "p2" });
  await assert.rejects(collect(client.tools.listAll()), { code: "invalid_cursor" });
});

test("waiting asks again until the session has ended", async () => {
  const completed = sampleSessionDetail({ status: "completed", result: 7 });
  fake.on(operations.sessions.get, sampleSessionDetail(), completed);
  const waiting = client.sessions.waitFor("s1");
  await clock.reach(SECOND);
  assert.equal((await waiting).result, 7);
  assert.deepEqual(
    fake.calls.map((call) => call.query),
    [{ wait: "30000ms" }, { wait: "30000ms" }],
  );
});

test("waiting ends with its own error when the time is over, and leaves the session alone", async () => {
  fake.on(operations.sessions.get, (call) => {
    clock.advance(Number.parseInt(call.query.wait ?? "", 10) * 1000);
    return sampleSessionDetail({ status: "waiting" });
  });
  const waiting = client.sessions.waitFor("s1", { timeout: "45s" });
  await assert.rejects(waiting, { name: "OpspawnWaitError", message: /still waiting after 45s/ });
  assert.deepEqual(
    fake.calls.map((call) => call.query.wait),
    ["30000ms", "15000ms"],
  );
});

test("waiting sits out a restart of the server, within its patience", async () => {
  const away = new FakeFailure(503, { detail: "Stopping", code: "shutting_down" });
  fake.on(operations.sessions.get, ...Array.from({ length: 9 }, () => away), sampleSessionDetail({ status: "failed" }));
  const failures: unknown[] = [];
  const waiting = client.sessions.waitFor("s1", { onRetry: (error) => failures.push(error) });
  for (let pause = 0; pause < 9; pause += 1) await clock.reach(5 * SECOND);
  assert.equal((await waiting).status, "failed");
  assert.equal(failures.length, 3);

  fake.on(operations.sessions.get, away);
  const impatient = assert.rejects(client.sessions.waitFor("s1", { patience: "1ms" }), { code: "shutting_down" });
  await clock.reach(5 * SECOND);
  await clock.reach(5 * SECOND);
  await impatient;
});

test("a state report has the time it was made, the same on its retries", async () => {
  const path = "/v1/opscore/agent/a%201/state";
  const busy = new FakeFailure(503, { detail: "Too much to do", code: "overloaded" });
  fake.onRoute("POST", path, busy, { status: "success", message: "State update accepted" });
  const reported = client.agents.reportState("a 1", { state: "active", details: { opscore_task_id: "t" } });
  await clock.reach(SECOND);
  await reported;
  const body = { agentId: "a 1", timestamp: AT, state: "active", details: { opscore_task_id: "t" } };
  assert.deepEqual(
    fake.calls.map((call) => call.body),
    [body, body],
  );
});

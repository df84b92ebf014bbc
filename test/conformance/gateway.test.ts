// AgentKit's gateway: what was accepted with 202 is stored, delivered in order, tried again, and never lost silently.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it, test } from "node:test";
import { Original, original } from "./original.ts";
import { Receiver } from "./receiver.ts";

const app = original();
const closing: Receiver[] = [];
after(() => Promise.all(closing.map((receiver) => receiver.close())));

async function receiver(): Promise<Receiver> {
  const made = await new Receiver().open();
  closing.push(made);
  return made;
}

interface Delivery {
  deliveryId: string;
  status: string;
  attempts: number;
  lastError: string | null;
  nextAttemptAt: string | null;
  createdAt: string;
  endedAt: string | null;
  blocked: { reason: string; message: string } | null;
}

async function deliveries(server: Original, agentId: string): Promise<Delivery[]> {
  const answer = await server.get(`/v1/opscore/deliveries?agent=${agentId}`);
  return (answer.json as { items: Delivery[] }).items.toReversed();
}

function send(server: Original, agentId: string, payload: object, rest: object = {}) {
  const body = { senderId: "s", messageType: "ping", payload, ...rest };
  return server.post(`/v1/agents/${agentId}/run`, body);
}

const payloads = (to: Receiver) => to.received.map(({ body }) => (JSON.parse(body) as { payload: unknown }).payload);

describe("the message that arrives", () => {
  it("has the eight keys in their order, nulls too, and nothing that was unknown", async () => {
    const agent = await receiver();
    const id = await app.agent("eight", `${agent.url}/contact?x=1`);
    await send(app, id, { a: 1 }, { timestamp: "2026-01-02T03:04:05Z", receiverId: "dropped" });
    await app.until(() => agent.received.length === 1);
    const [message] = agent.received;
    assert.deepEqual([message?.method, message?.path], ["POST", "/contact?x=1"]);
    assert.equal(message?.headers["content-type"], "application/json");
    assert.equal(message?.headers.authorization, undefined);
    assert.match(String(message?.headers["idempotency-key"]), /^dlv_/);
    assert.equal(
      message?.body,
      '{"senderId":"s","timestamp":"2026-01-02T03:04:05Z","messageType":"ping","payload":{"a":1},"sessionContext":null,' +
        '"task_name":null,"opscore_session_id":null,"opscore_task_id":null}',
    );
  });

  it("carries the context's two keys, and the three of Ops-Core", async () => {
    const agent = await receiver();
    const id = await app.agent("context", agent.url);
    await send(app, id, {}, { sessionContext: {}, timestamp: 1 });
    await send(app, id, {}, { sessionContext: { priorMessages: null, workflowId: "dropped" }, timestamp: 1 });
    const context = { sessionId: "s1", priorMessages: ["a", "b"], taskId: "dropped" };
    const ids = { task_name: "t", opscore_session_id: "os", opscore_task_id: "ot" };
    await send(app, id, {}, { sessionContext: context, timestamp: 1, ...ids });
    await app.until(() => agent.received.length === 3);
    const rest = agent.received.map(({ body }) => body.slice(body.indexOf('"sessionContext"')));
    assert.deepEqual(rest, [
      '"sessionContext":{"sessionId":null,"priorMessages":[]},"task_name":null,"opscore_session_id":null,"opscore_task_id":null}',
      '"sessionContext":{"sessionId":null,"priorMessages":null},"task_name":null,"opscore_session_id":null,"opscore_task_id":null}',
      '"sessionContext":{"sessionId":"s1","priorMessages":["a","b"]},"task_name":"t","opscore_session_id":"os","opscore_task_id":"ot"}',
    ]);
  });

  it("shows its time as the original's: UTC as Z, other offsets and none kept, six digits or none", async () => {
    const agent = await receiver();
    const id = await app.agent("times", agent.url);
    const rows: [unknown, string][] = [
      ["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05Z"],
      ["2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000Z"],
      ["2026-01-02T03:04:05.123456+02:00", "2026-01-02T03:04:05.123456+02:00"],
      ["2026-01-02T03:04:05", "2026-01-02T03:04:05"],
      ["2026-01-02", "2026-01-02T00:00:00"],
      [1700000000, "2023-11-14T22:13:20Z"],
      [1700000000.25, "2023-11-14T22:13:20.250000Z"],
      ["1700000000", "2023-11-14T22:13:20Z"],
    ];
    for (const [timestamp] of rows) assert.equal((await send(app, id, {}, { timestamp })).status, 202);
    await send(app, id, {});
    await app.until(() => agent.received.length === rows.length + 1);
    const shown = agent.received.map(({ body }) => (JSON.parse(body) as { timestamp: string }).timestamp);
    assert.deepEqual(
      shown.slice(0, -1),
      rows.map(([, text]) => text),
    );
    assert.match(String(shown.at(-1)), /^20\d\d-.*Z$/);
  });

  it("has its numbers and letters as they came", async () => {
    const agent = await receiver();
    const id = await app.agent("numbers", agent.url);
    const payload = '{"one":1.0,"big":12345678901234567890,"e":1E+2,"text":"\u00e4\u{1f600}\\u0007"}';
    await app.raw(`/v1/agents/${id}/run`, `{"senderId":"s","messageType":"m","payload":${payload}}`);
    await app.until(() => agent.received.length === 1);
    assert.ok(agent.received[0]?.body.includes(`"payload":${payload},`), agent.received[0]?.body);
  });
});

describe("delivering", () => {
  it("is visible: pending, then delivered, with its attempts", async () => {
    const agent = await receiver();
    agent.answers(202);
    const id = await app.agent("visible", agent.url);
    await send(app, id, { n: 1 });
    await app.until(async () => (await deliveries(app, id))[0]?.status === "delivered");
    const [delivery] = await deliveries(app, id);
    assert.equal(delivery?.attempts, 1);
    assert.notEqual(delivery?.endedAt, null);
    assert.equal(delivery?.nextAttemptAt, null);
    const one = await app.get(`/v1/opscore/deliveries/${delivery?.deliveryId}`);
    assert.deepEqual(one.json, delivery);
    assert.equal((await app.get("/v1/opscore/deliveries?status=delivered", {})).status, 401);
  });

  it("is tried again under the same key, later each time, and the next message waits behind it", async () => {
    const agent = await receiver();
    agent.answers(500);
    const id = await app.agent("flaky", agent.url);
    for (const n of [1, 2, 3]) await send(app, id, { n });
    await app.until(() => agent.received.length === 3);
    assert.deepEqual(payloads(agent), [{ n: 1 }, { n: 1 }, { n: 1 }]);
    assert.equal(new Set(agent.received.map(({ headers }) => headers["idempotency-key"])).size, 1);
    await app.until(async () => (await deliveries(app, id))[0]?.attempts === 3);
    const [first, second] = await deliveries(app, id);
    assert.equal(first?.lastError, "The receiver answered 500.");
    assert.equal(first?.blocked?.reason, "delivery_backoff");
    assert.match(String(first?.blocked?.message), /3 of its sends failed.*answered 500.*next is due/s);
    assert.deepEqual([second?.status, second?.attempts], ["pending", 0]);
    agent.answers(200, '{"status":"success"}');
    await app.until(async () => (await deliveries(app, id)).every(({ status }) => status === "delivered"));
    assert.deepEqual(payloads(agent).slice(3), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it("waits between its tries for 1 s, 5 s, 30 s, 2 min, 10 min, 30 min and 2 h, and then is given up with a reason", async () => {
    const agent = await receiver();
    agent.answers(503);
    const id = await app.agent("dead", agent.url);
    await send(app, id, { n: 1 });
    await send(app, id, { n: 2 });
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      await app.until(async () => (await deliveries(app, id))[0]?.attempts === attempt);
      const next = Date.parse(String((await deliveries(app, id))[0]?.nextAttemptAt));
      waits.push(Math.round((next - app.app.time.now()) / 1000));
      app.app.time.advance(next - app.app.time.now() - 100);
      assert.equal((await deliveries(app, id))[0]?.attempts, attempt);
    }
    const planned = [1, 5, 30, 120, 600, 1_800, 7_200];
    for (const [i, seconds] of planned.entries()) assert.ok(Math.abs((waits[i] ?? 0) - seconds) <= 1, `${waits}`);
    await app.until(async () => (await deliveries(app, id))[0]?.status === "failed");
    const [first] = await deliveries(app, id);
    assert.deepEqual([first?.attempts, first?.lastError], [8, "The receiver answered 503."]);
    await app.until(() => payloads(agent).some((payload) => (payload as { n: number }).n === 2));
  });

  it("does not make one agent wait for another", async () => {
    const [slow, quick] = [await receiver(), await receiver()];
    slow.answer = () => undefined;
    const ids = [await app.agent("slow", slow.url), await app.agent("quick", quick.url)];
    for (const id of ids) await send(app, id, {});
    await app.until(() => quick.received.length === 1, 0);
    await app.until(async () => (await deliveries(app, ids[0] ?? ""))[0]?.lastError !== null);
  });

  it("goes on where nobody listens yet, and follows an agent that comes back elsewhere", async () => {
    const gone = await receiver();
    const key = { authorization: "" };
    const registration = { agentName: "mover", version: "1", contactEndpoint: gone.url };
    const registered = await app.post("/v1/agents/register", registration);
    const { agentId } = (registered.json as { data: { agentId: string } }).data;
    key.authorization = `Bearer ${registered.headers["x-agent-key"]}`;
    await gone.close();
    closing.splice(closing.indexOf(gone), 1);
    await send(app, agentId, { n: 1 });
    await app.until(async () => (await deliveries(app, agentId))[0]?.attempts === 3);
    const here = await receiver();
    const again = await app.post("/v1/agents/register", { ...registration, contactEndpoint: here.url }, key);
    assert.equal(again.status, 201);
    await app.until(() => here.received.length === 1);
    assert.deepEqual(payloads(here), [{ n: 1 }]);
  });

  it("is not started twice by a repeated request under one Idempotency-Key", async () => {
    const agent = await receiver();
    const id = await app.agent("once", agent.url);
    const body = { senderId: "s", messageType: "ping", payload: { n: 1 } };
    const first = await app.post(`/v1/agents/${id}/run`, body, { "idempotency-key": "k1" });
    const second = await app.post(`/v1/agents/${id}/run`, body, { "idempotency-key": "k1" });
    assert.deepEqual([first.status, second.status, second.text], [202, 202, first.text]);
    assert.equal(second.headers["idempotent-replayed"], "true");
    const other = await app.post(`/v1/agents/${id}/run`, { ...body, payload: {} }, { "idempotency-key": "k1" });
    assert.equal(other.status, 409);
    assert.equal((await deliveries(app, id)).length, 1);
  });
});

test("what was accepted survives a restart of the server, in order", async () => {
  const data = mkdtempSync(join(tmpdir(), "opspawn-gateway-"));
  const agent = await receiver();
  agent.answers(500);
  const first = new Original({}, { data });
  await first.start();
  const id = await first.agent("restart", agent.url);
  for (const n of [1, 2]) await send(first, id, { n });
  await first.until(() => agent.received.length === 2);
  await first.close();
  const before = agent.received.length;
  agent.answers(200);
  const second = new Original({}, { data, time: first.app.time });
  await second.start();
  assert.equal((await deliveries(second, id)).length, 2);
  await second.until(async () => (await deliveries(second, id)).every(({ status }) => status === "delivered"));
  assert.deepEqual(payloads(agent).slice(before), [{ n: 1 }, { n: 2 }]);
  assert.equal(agent.received[before]?.headers["idempotency-key"], agent.received[0]?.headers["idempotency-key"]);
  await second.close();
  rmSync(data, { recursive: true });
});

// What a workflow's task is when it reaches an agent, and the traps that no other file is about.

import assert from "node:assert/strict";
import { after, describe, it, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { assertDetail, original } from "./original.ts";
import { Receiver } from "./receiver.ts";

const SECRET = "s3cret";
const app = original({ OPSCORE_WEBHOOK_SECRET: SECRET });
const agents: Receiver[] = [];
after(async () => {
  for (const each of agents) await each.close();
});

async function agent(name: string, path = ""): Promise<{ id: string; receiver: Receiver }> {
  const receiver = await new Receiver().open();
  agents.push(receiver);
  return { id: await app.agent(name, receiver.url + path), receiver };
}

async function start(agentId: string, id: string, tasks: object[]): Promise<string> {
  const body = { workflowDefinition: { id, name: id, tasks } };
  const answer = await app.post(`/v1/opscore/agent/${agentId}/workflow`, body);
  assert.equal(answer.status, 202, answer.text);
  return (answer.json as { sessionId: string }).sessionId;
}

async function session(id: string): Promise<JsonObject> {
  return (await app.get(`/v1/opscore/sessions/${id}`)).json as JsonObject;
}

describe("a delivery", () => {
  it("has the eight keys and `opspawn`, in their order, and says all again in its headers", async () => {
    const { id, receiver } = await agent("nine");
    receiver.answers(200, '{"status":"completed","result":1.0}');
    const sessionId = await start(id, "nine", [{ taskId: "a", name: "The \u00e4 step", parameters: { one: 1 } }]);
    await app.until(async () => (await session(sessionId)).status === "completed");
    const [delivery] = receiver.received;
    const body = JSON.parse(delivery?.body ?? "") as JsonObject;
    const opspawn = body.opspawn as JsonObject;
    const { taskId, token, deadline } = opspawn;
    assert.equal(
      delivery?.body,
      `{"senderId":"opscore_system_id","timestamp":"${body.timestamp}","messageType":"workflow_task",` +
        `"payload":{"one":1},"sessionContext":{"sessionId":"${sessionId}","priorMessages":[]},` +
        `"task_name":"The \u00e4 step","opscore_session_id":"${sessionId}","opscore_task_id":"${taskId}",` +
        `"opspawn":{"taskId":"${taskId}","attempt":1,"token":"${token}",` +
        `"resultUrl":"${app.url}/v1/opscore/tasks/${taskId}/result","deadline":"${deadline}","capability":null}}`,
    );
    const { headers } = delivery ?? { headers: {} };
    assert.equal(headers["idempotency-key"], taskId);
    assert.equal(headers["x-opspawn-attempt"], "1");
    assert.equal(headers["x-opspawn-token"], token);
    assert.match(String(headers.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.match(String(headers["x-agentkit-signature"]), /^[0-9a-f]{64}$/);
    assert.equal(headers["webhook-id"], taskId);
    assert.equal(headers.authorization, undefined);
    assert.equal((await session(sessionId)).result, 1);
  });

  it("goes to the endpoint's normal form", async () => {
    const { id, receiver } = await agent("normal", "/a/../b");
    receiver.answers(200, '{"status":"completed"}');
    await start(id, "normal", [{ taskId: "a", name: "a" }]);
    await app.until(() => receiver.received.length === 1);
    assert.equal(receiver.received[0]?.path, "/b");
    const bare = await agent("bare");
    bare.receiver.answers(200, '{"status":"completed"}');
    await start(bare.id, "bare", [{ taskId: "a", name: "a" }]);
    await app.until(() => bare.receiver.received.length === 1);
    assert.equal(bare.receiver.received[0]?.path, "/");
  });

  it("is one for each task, all of which run, each with what the one before it gave", async () => {
    const { id, receiver } = await agent("all");
    receiver.answer = (response, { body }) => {
      const { task_name: name } = JSON.parse(body) as { task_name: string };
      response.writeHead(200).end(JSON.stringify({ status: "completed", result: `${name} done` }));
    };
    const tasks = ["a", "b", "c"].map((name) => ({ taskId: name, name, parameters: { name } }));
    const sessionId = await start(id, "all", tasks);
    await app.until(async () => (await session(sessionId)).status === "completed");
    assert.deepEqual(
      receiver.received.map(({ body }) => (JSON.parse(body) as JsonObject).payload),
      [{ name: "a" }, { name: "b", previous: "a done" }, { name: "c", previous: "b done" }],
    );
    assert.equal((await session(sessionId)).result, "c done");
  });
});

test("an agent that says IDLE is as free as one that says idle", async () => {
  const { id, receiver } = await agent("upper");
  receiver.answers(200, '{"status":"completed"}');
  const report = (state: string) =>
    app.post(`/v1/opscore/agent/${id}/state`, { agentId: id, timestamp: "2026-01-01T00:00:00Z", state });
  await report("initializing");
  const sessionId = await start(id, "upper", [{ taskId: "a", name: "a" }]);
  assert.equal((await session(sessionId)).status, "started");
  assert.equal(receiver.received.length, 0);
  await report("IDLE");
  await app.until(async () => (await session(sessionId)).status === "completed");
});

test("no tool is registered by default, the mock's name included", async () => {
  const { id } = await agent("tools");
  assert.deepEqual(((await app.get("/v1/tools")).json as JsonObject).items, []);
  const invoke = { senderId: "s", messageType: "tool_invocation", payload: { tool_name: "mock_tool" } };
  const none = "Tool 'mock_tool' not found in registry (local or external).";
  assertDetail(await app.post(`/v1/agents/${id}/run`, invoke), 404, none);
});

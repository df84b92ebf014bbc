import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

const task = (more: JsonObject) => app.ok("POST", "/v1/opscore/tasks", { body: { name: "t", ...more } });

/** The lines of `GET /metrics` that are numbers. */
async function scraped(): Promise<string[]> {
  const { status, type, text } = await app.text("/metrics");
  assert.deepEqual([status, type], [200, "text/plain; version=0.0.4; charset=utf-8"]);
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

test("what is open is counted by status and by the reason it waits for, and what has ended is not", async () => {
  await task({ capability: "text.read" });
  await task({ capability: "text.read", delay: "1h" });
  const { taskId } = await task({ capability: "text.read" });
  await app.ok("POST", `/v1/opscore/tasks/${taskId}/cancel`);
  assert.deepEqual(await scraped(), [
    'opspawn_tasks{status="pending",blocked_reason="delayed"} 1',
    'opspawn_tasks{status="pending",blocked_reason="queued"} 1',
  ]);
});

test("agents are counted by what they say of themselves, whatever that is, and cannot break out of their line", async () => {
  const agent = { agentName: "odd", capabilities: [], contactEndpoint: "http://127.0.0.1:9/x" };
  const registered = await app.ok("POST", "/v1/opscore/agents", { body: agent });
  const { agentId } = registered.agent as JsonObject;
  await app.ok("POST", `/v1/opscore/agent/${agentId}/state`, {
    body: { agentId: agentId as string, state: 'a"} 9\nopspawn_tasks 7', timestamp: "2023-11-14T22:13:20Z" },
  });
  assert.deepEqual(await scraped(), ['opspawn_agents{state="a\\"} 9\\nopspawn_tasks 7",health="ready"} 1']);
});

test("decisions and schedules are counted while they are open", async () => {
  const definition = { id: "w", name: "w", version: "1", tasks: [{ taskId: "ok", approval: { message: "?" } }] };
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition } });
  await app.ok("POST", "/v1/opscore/sessions", { body: { workflowId: "w" } });
  for (const paused of [true, false]) {
    const body = { name: `s${paused}`, workflowId: "w", every: "1h", paused };
    await app.ok("POST", "/v1/opscore/schedules", { body });
  }
  assert.deepEqual(await scraped(), [
    'opspawn_sessions{status="waiting"} 1',
    'opspawn_steps{status="waiting",blocked_reason="waiting_for_approval"} 1',
    'opspawn_approvals{status="pending",blocked_reason="waiting_for_decision"} 1',
    'opspawn_schedules{status="paused",blocked_reason="paused"} 1',
    'opspawn_schedules{status="active",blocked_reason="not_due"} 1',
  ]);
});

test("who may not read metrics reads none, in either form", async () => {
  for (const path of ["/metrics", "/v1/opscore/metrics"]) {
    assert.equal((await app.call("GET", path, { key: null })).status, 401, path);
  }
  const { items } = await app.ok("GET", "/v1/opscore/metrics");
  assert.deepEqual(
    (items as JsonObject[]).map(({ name }) => name),
    ["sessions", "steps", "tasks", "deliveries", "approvals", "schedules", "agents"].map((noun) => `opspawn_${noun}`),
  );
});

// AgentKit's application, registration and the shape of its errors, as its clients and tests meet them.

import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { assertDetail, original } from "./original.ts";

const app = original();
const REGISTER = "/v1/agents/register";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TOOL_MESSAGE = { senderId: "s", messageType: "tool_invocation", payload: { tool_name: "none" } };

interface Envelope {
  status: string;
  message: string | null;
  data: Record<string, unknown>;
  error_code: string | null;
}

test("the root welcomes", async () => {
  const answer = await app.get("/", {});
  assert.equal(answer.status, 200);
  assert.equal(answer.text, '{"message":"Welcome to AgentKit API"}');
});

describe("every answer", () => {
  const calls: [string, string][] = [
    ["GET", "/"],
    ["GET", "/health"],
    ["GET", "/nowhere"],
    ["PUT", REGISTER],
    ["POST", REGISTER],
    ["GET", "/v1/opscore/agent/x/state"],
  ];
  for (const [method, path] of calls) {
    it(`of ${method} ${path} is plain application/json with its length, its time and its id`, async () => {
      const { headers, json } = await app.send(method, path);
      assert.equal(headers["content-type"], "application/json");
      assert.ok(Number(headers["content-length"]) > 0);
      assert.match(String(headers["x-process-time"]), /^\d+\.\d+$/);
      assert.match(String(headers["x-request-id"]), UUID);
      assert.equal(typeof json, "object");
    });
  }
});

describe("a path or method nobody serves", () => {
  it("is 404 or 405 with allow, each as {detail}", async () => {
    assertDetail(await app.send("GET", "/nowhere"), 404, "Not Found");
    assertDetail(await app.send("POST", "/v1/v1/agents/register"), 404, "Not Found");
    assertDetail(await app.send("POST", "/v1/agents/a/b/run"), 404, "Not Found");
    for (const [method, path, allow] of [
      ["GET", REGISTER, "POST"],
      ["PUT", REGISTER, "POST"],
      ["DELETE", REGISTER, "POST"],
      ["OPTIONS", REGISTER, "POST"],
      ["GET", "/v1/agents/x/run", "POST"],
      ["POST", "/", "GET"],
      ["DELETE", "/health", "GET"],
      ["PUT", "/v1/opscore/agent/x/state", "POST"],
      ["GET", "/v1/opscore/agent/x/workflow", "POST"],
      ["GET", "/v1/opscore/internal/agent/notify", "POST"],
    ] as const) {
      const answer = await app.send(method, path);
      assertDetail(answer, 405, "Method Not Allowed");
      assert.equal(answer.headers.allow, allow, `${method} ${path}`);
    }
  });

  it("is 405 to HEAD too, without a body", async () => {
    const answer = await app.send("HEAD", "/");
    assert.deepEqual([answer.status, answer.headers.allow, answer.text], [405, "GET", ""]);
  });
});

describe("both forms of a path, with and without a slash at the end, are served and never redirected", () => {
  for (const path of [
    REGISTER,
    "/v1/agents/x/run",
    "/v1/opscore/agent/x/state",
    "/v1/opscore/agent/x/workflow",
    "/v1/opscore/internal/agent/notify",
  ]) {
    it(path, async () => {
      const [bare, slashed] = [await app.raw(path, "{}"), await app.raw(`${path}/`, "{}")];
      assert.equal(bare.status, 422);
      assert.equal(slashed.text, bare.text);
    });
  }
  it("/health and /v1/agents", async () => {
    assert.equal((await app.get("/health/")).status, 200);
    assert.equal((await app.get("/v1/agents/")).status, 200);
  });
});

describe("registering", () => {
  it("answers the envelope with the four keys in their order, and a lower-case UUID", async () => {
    const body = { agentName: "Ping", version: "1.0", contactEndpoint: "http://test-receiver.local" };
    const answer = await app.post(REGISTER, body);
    assert.equal(answer.status, 201);
    const { data } = answer.json as Envelope;
    assert.match(String(data.agentId), UUID);
    assert.equal(
      answer.text,
      `{"status":"success","message":"Agent 'Ping' registered successfully.","data":{"agentId":"${data.agentId}"},"error_code":null}`,
    );
  });

  it("keeps the endpoint as WHATWG writes it, and of metadata what the original kept", async () => {
    const id = await app.agent("Kept", "HTTP://127.0.0.1:80/a/../b c", {
      capabilities: ["one", "two", ""],
      metadata: { description: "d", example_type: "dropped", config: { deep: { big: 1 } } },
      unknown: 1,
    });
    const { data } = (await app.get("/v1/agents")).json as { data: Record<string, unknown>[] };
    const found = data.find(({ agentId }) => agentId === id);
    const time = String(found?.registration_time);
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/);
    assert.equal(
      JSON.stringify(found),
      `{"agentId":"${id}","agentName":"Kept","capabilities":["one","two",""],"version":"1",` +
        `"contactEndpoint":"http://127.0.0.1/b%20c","metadata":{"description":"d","config":{"deep":{"big":1}}},` +
        `"registration_time":"${time}"}`,
    );
  });

  it("takes empty names and versions, and an absent list of capabilities", async () => {
    const answer = await app.post(REGISTER, { agentName: "", version: "", contactEndpoint: "http://127.0.0.1" });
    assert.equal(answer.status, 201);
    assert.equal((answer.json as Envelope).message, "Agent '' registered successfully.");
  });

  it("tells names apart by case, and keeps the first of two with the same one", async () => {
    const first = await app.agent("Twice", "http://127.0.0.1:1/");
    await app.agent("twice", "http://127.0.0.1:2/");
    const body = { agentName: "Twice", version: "9", contactEndpoint: "http://127.0.0.1:3/" };
    assertDetail(await app.post(REGISTER, body), 409, "Agent with name 'Twice' already registered.");
    const { data } = (await app.get("/v1/agents")).json as { data: Record<string, unknown>[] };
    const found = data.filter(({ agentName }) => agentName === "Twice");
    assert.deepEqual(
      found.map(({ agentId, version, contactEndpoint }) => [agentId, version, contactEndpoint]),
      [[first, "1", "http://127.0.0.1:1/"]],
    );
  });

  it("checks the body before the name", async () => {
    await app.agent("Order");
    const answer = await app.post(REGISTER, { agentName: "Order", version: "1", contactEndpoint: "ftp://x" });
    assert.equal(answer.status, 422);
  });

  it("takes long names of any text", async () => {
    const name = `${"n".repeat(5_000)} "quoted" \u00e4\u{1f600} ' \\ \n`;
    const answer = await app.post(REGISTER, { agentName: name, version: "1", contactEndpoint: "http://127.0.0.1" });
    assert.equal((answer.json as Envelope).message, `Agent '${name}' registered successfully.`);
  });
});

describe("the list of agents", () => {
  it("is an envelope, in the order of registration, however long", async () => {
    const names = Array.from({ length: 205 }, (_, i) => `many-${String(999 - i)}`);
    for (const name of names) await app.agent(name);
    const answer = await app.get("/v1/agents", {});
    const { data, ...rest } = answer.json as { data: { agentName: string }[] };
    assert.equal(answer.status, 200);
    assert.deepEqual(rest, { status: "success", message: "Agents retrieved successfully.", error_code: null });
    assert.deepEqual(
      data.map(({ agentName }) => agentName).filter((name) => name.startsWith("many-")),
      names,
    );
  });
});

describe("deregistering", () => {
  it("answers an envelope, and the agent is gone; its key or an admin's is needed", async () => {
    const id = await app.agent("Leaver");
    assertDetail(await app.send("DELETE", `/v1/agents/${id}`), 401, "Authorization header missing");
    const headers = { authorization: "Bearer operator-key-of-the-tests" };
    const answer = await app.send("DELETE", `/v1/agents/${id}`, { headers });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, {
      status: "success",
      message: `Agent ${id} deregistered successfully.`,
      data: { agentId: id },
      error_code: null,
    });
    assertDetail(await app.post(`/v1/agents/${id}/run`, TOOL_MESSAGE), 404, `Agent with ID '${id}' not found.`);
    const again = await app.send("DELETE", `/v1/agents/${id}`, { headers });
    assertDetail(again, 404, `Agent with ID '${id}' not found.`);
    await app.agent("Leaver");
  });
});

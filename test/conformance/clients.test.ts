// The originals' own clients, unchanged, against the server: what they send, and the exact statuses they take for success.

import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { KEY, original } from "./original.ts";
import { AgentKitClient, AgentKitError } from "./originals/agentkit-client.ts";
import { OpsCoreClient, OpsCoreError } from "./originals/opscore-client.ts";
import { Receiver } from "./receiver.ts";

const app = original();
const agentkit = () => new AgentKitClient(app.url, { url: `${app.url}/v1`, key: KEY });
const opscore = (key = KEY) => new OpsCoreClient(`${app.url}/`, key);

function agent(agentName: string, contactEndpoint = "http://127.0.0.1:9/contact") {
  return { agentName, capabilities: ["ping"], version: "1.0", contactEndpoint };
}

function fails(call: Promise<unknown>, expected: object | RegExp): Promise<void> {
  return assert.rejects(call, expected);
}

describe("AgentKit's client", () => {
  it("registers an agent, with and without metadata, and has its id", async () => {
    const id = await agentkit().registerAgent(agent("PingAgent"));
    assert.match(id, /^[0-9a-f-]{36}$/);
    const metadata = { example_type: "dropped", description: "kept" };
    assert.notEqual(await agentkit().registerAgent({ ...agent("WithMetadata"), metadata }), id);
  });

  it("is told of a taken name, and of what is wrong with a registration", async () => {
    await agentkit().registerAgent(agent("Taken"));
    await fails(agentkit().registerAgent(agent("Taken")), {
      message: "AgentKit API error (HTTP 409): Agent with name 'Taken' already registered.",
      statusCode: 409,
    });
    await fails(agentkit().registerAgent(agent("Bad", "not a url")), (error: unknown) => {
      assert.ok(error instanceof AgentKitError);
      assert.equal(error.statusCode, 422);
      assert.match(error.message, /URL/);
      return true;
    });
  });

  it("sends a message and has the data of the envelope", async () => {
    const id = await agentkit().registerAgent(agent("Target"));
    const data = await agentkit().sendMessage(id, "me", "ping", { a: 1 }, { trace_id: "t" });
    assert.deepEqual(data, { agentId: id, dispatch_status: "scheduled" });
    await fails(agentkit().sendMessage("nobody", "me", "ping", {}), {
      message: "AgentKit API error (HTTP 404): Agent with ID 'nobody' not found.",
    });
  });

  it("invokes a tool: its answer is the data, its error an error with the code", async () => {
    const tool = await new Receiver().open();
    const bearer = { authorization: `Bearer ${KEY}` };
    await app.post("/v1/tools", { name: "mock_tool", endpoint: `${tool.url}/invoke` }, bearer);
    const id = await agentkit().registerAgent(agent("ToolUser"));
    const invoke = () => agentkit().sendMessage(id, id, "tool_invocation", { tool_name: "mock_tool", arguments: {} });
    tool.answers(200, '{"status":"success","output":"done"}');
    assert.deepEqual(await invoke(), { status: "success", output: "done" });
    tool.answers(200, '{"status":"error","error_message":"no"}');
    await fails(invoke(), {
      message: "External tool 'mock_tool' execution failed: no (Code: EXTERNAL_TOOL_EXECUTION_FAILED)",
      statusCode: null,
    });
    tool.answers(500, "no json");
    await fails(invoke(), {
      message: "AgentKit API error (HTTP 500): External tool 'mock_tool' returned error: Status 500",
    });
    tool.answers(200, "null");
    assert.deepEqual(await invoke(), {});
    await tool.close();
  });

  it("reports a state to Ops-Core, under an address with /v1 or without", async () => {
    const id = await agentkit().registerAgent(agent("Reporter"));
    await agentkit().reportStateToOpscore(id, "idle");
    await new AgentKitClient(app.url, { url: app.url, key: KEY }).reportStateToOpscore(id, "active", { a: 1 });
    assert.equal((await opscore().getState(id)).state, "active");
    await fails(agentkit().reportStateToOpscore("nobody", "idle"), {
      message: "Ops-Core API error (HTTP 404): Agent not found: nobody",
    });
  });

  it("with /v1 in its address finds nothing, and is told so in JSON", async () => {
    const wrong = new AgentKitClient(app.url, { url: app.url, key: KEY });
    await fails(wrong.sendMessage("x/y", "me", "ping", {}), { message: "AgentKit API error (HTTP 404): Not Found" });
  });
});

describe("Ops-Core's client", () => {
  it("updates and reads a state", async () => {
    const id = await app.agent("state of the client");
    await opscore().updateState(id, "active", { step: 1 });
    const state = await opscore().getState(id);
    assert.deepEqual(Object.keys(state), ["agentId", "state", "details", "timestamp"]);
    assert.deepEqual([state.agentId, state.state, state.details], [id, "active", { step: 1 }]);
    assert.match(String(state.timestamp), /^\d{4}-.*\.\d{6}Z$/);
    await opscore().updateState(id, "idle");
    assert.equal((await opscore().getState(id)).details, null);
  });

  it("triggers a workflow by its id, with a payload or null", async () => {
    const id = await app.agent("triggered");
    const definition = { id: "by-client", name: "w", tasks: [{ taskId: "a" }] };
    const inline = await app.post(`/v1/opscore/agent/${id}/workflow`, { workflowDefinition: definition });
    assert.equal(inline.status, 202);
    for (const payload of [null, { a: 1 }]) {
      const { sessionId, workflowId, message } = await opscore().triggerWorkflow(id, "by-client", payload);
      assert.match(String(sessionId), /^[0-9a-f-]{36}$/);
      assert.deepEqual([workflowId, message], ["by-client", "Workflow triggered successfully"]);
    }
  });

  it("tells a wrong key, what is not there, and everything else apart", async () => {
    const is = (kind: string, statusCode: number, detail: string) => (error: unknown) => {
      assert.ok(error instanceof OpsCoreError);
      assert.deepEqual([error.kind, error.statusCode, error.detail], [kind, statusCode, detail]);
      return true;
    };
    const id = await app.agent("erring");
    const invalid = "Invalid authentication credentials";
    await assert.rejects(opscore("wrong").getState(id), is("AuthenticationError", 401, invalid));
    await assert.rejects(opscore().getState("nobody"), is("NotFoundError", 404, "No state found for agent nobody"));
    await assert.rejects(opscore().updateState("nobody", "idle"), is("NotFoundError", 404, "Agent not found: nobody"));
    const none = "Workflow definition not found: none";
    await assert.rejects(opscore().triggerWorkflow(id, "none"), is("NotFoundError", 404, none));
    const prefixed = new OpsCoreClient(`${app.url}/v1`, KEY);
    await assert.rejects(prefixed.getState(id), is("NotFoundError", 404, "Not Found"));
  });
});

test("a GET that says it carries JSON, and carries nothing, is answered", async () => {
  for (const path of ["/", "/health", "/v1/agents", "/v1/opscore/agents", "/v1/tools"]) {
    const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
    assert.equal((await app.get(path, headers)).status, 200, path);
    assert.equal((await app.get(path, { ...headers, "content-length": "0" })).status, 200, path);
  }
});

test("connections are kept well over the ten seconds that clients keep theirs", async () => {
  const answer = await app.get("/health", { connection: "keep-alive" });
  assert.equal(answer.headers.connection, "keep-alive");
  assert.match(String(answer.headers["keep-alive"]), /timeout=7\d/);
});

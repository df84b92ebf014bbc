// AgentKit's `POST /v1/agents/{id}/run`: tools are called at once, messages are delivered afterwards.

import assert from "node:assert/strict";
import { after, describe, it, test } from "node:test";
import { assertDetail, KEY, original } from "./original.ts";
import { Receiver } from "./receiver.ts";

const app = original({}, setUp);
const tool = new Receiver();
let url: string;
let agentId: string;

async function setUp(): Promise<void> {
  await tool.open();
  url = `${tool.url}/invoke`;
  for (const [name, endpoint] of [
    ["weather", url],
    ["closed", "http://127.0.0.1:1/invoke"],
  ] as const) {
    const body = { name, endpoint, description: "d", parameters: { required: ["x"] } };
    const made = await app.post("/v1/tools", body, { authorization: `Bearer ${KEY}` });
    assert.equal(made.status, 201, made.text);
  }
  agentId = await app.agent("caller");
}
after(() => tool.close());

function invoke(payload: object, rest: object = {}) {
  const body = { senderId: "s", messageType: "tool_invocation", payload, ...rest };
  return app.post(`/v1/agents/${agentId}/run`, body);
}

describe("a tool's name", () => {
  const missing = "Missing 'tool_name' in payload for tool_invocation message type.";
  for (const payload of [{}, { tool_name: "" }, { tool_name: null }, { tool_name: 0 }, { tool_name: false }]) {
    it(`that is not there: ${JSON.stringify(payload)}`, async () => {
      assertDetail(await invoke(payload), 400, missing);
    });
  }
  it("that is no text is refused the same way, where the original crashed", async () => {
    for (const name of [["weather"], { name: "weather" }, 7, true]) {
      assertDetail(await invoke({ tool_name: name }), 400, missing);
    }
  });
  it("nobody registered", async () => {
    assertDetail(await invoke({ tool_name: "none" }), 404, "Tool 'none' not found in registry (local or external).");
  });
  it("is looked at after the agent", async () => {
    const body = { senderId: "s", messageType: "tool_invocation", payload: {} };
    assertDetail(await app.post("/v1/agents/x/run", body), 404, "Agent with ID 'x' not found.");
  });
});

describe("a tool is called with", () => {
  it("the arguments as they came, and nothing of ours", async () => {
    tool.answers(200, "{}");
    await invoke({ tool_name: "weather", arguments: { big: 1, text: "\u00e4" }, parameters: { not: "read" } });
    assert.equal(tool.received.at(-1)?.body, '{"arguments":{"big":1,"text":"\u00e4"}}');
    assert.equal(tool.received.at(-1)?.headers["content-type"], "application/json");
    assert.equal(tool.received.at(-1)?.headers.authorization, undefined);
    const numbers =
      '{"senderId":"s","messageType":"tool_invocation","payload":{"tool_name":"weather","arguments":{"a":1.0,"b":12345678901234567890}}}';
    await app.raw(`/v1/agents/${agentId}/run`, numbers);
    assert.equal(tool.received.at(-1)?.body, '{"arguments":{"a":1.0,"b":12345678901234567890}}');
  });
  it("no arguments, or null, or any other value, unchecked", async () => {
    tool.answers(200, "{}");
    for (const [payload, body] of [
      [{ tool_name: "weather" }, '{"arguments":{}}'],
      [{ tool_name: "weather", arguments: null }, '{"arguments":null}'],
      [{ tool_name: "weather", arguments: [1, "x"] }, '{"arguments":[1,"x"]}'],
    ] as const) {
      assert.equal((await invoke(payload)).status, 202);
      assert.equal(tool.received.at(-1)?.body, body);
    }
  });
});

describe("a tool's outcome", () => {
  const ok = "External tool 'weather' executed successfully.";
  const envelope = (status: string, message: string, data: string, code: string | null) =>
    `{"status":"${status}","message":${JSON.stringify(message)},"data":${data},"error_code":${JSON.stringify(code)}}`;

  for (const data of ['{"status":"success","result":1.0}', "[1,2]", '"text"', "12345678901234567890", "null", "true"]) {
    it(`of ${data} is a success with that as its data`, async () => {
      tool.answers(200, data);
      const { status, text } = await invoke({ tool_name: "weather" });
      assert.deepEqual([status, text], [202, envelope("success", ok, data, null)]);
    });
  }

  for (const [data, why] of [
    ['{"status":"error","error_message":"no rain"}', "no rain"],
    ['{"status":"error"}', "Unknown tool error"],
    ['{"status":"error","error_message":""}', "Unknown tool error"],
    ['{"status":"error","error_message":null}', "Unknown tool error"],
    ['{"status":"error","error_message":0}', "Unknown tool error"],
    ['{"status":"error","error_message":42}', "42"],
  ] as const) {
    it(`of ${data} is an error, still 202, with the tool's words`, async () => {
      tool.answers(200, data);
      const { status, text } = await invoke({ tool_name: "weather" });
      const message = `External tool 'weather' execution failed: ${why}`;
      assert.deepEqual([status, text], [202, envelope("error", message, data, "EXTERNAL_TOOL_EXECUTION_FAILED")]);
    });
  }

  it("of 201 or 206 is like 200", async () => {
    for (const status of [201, 206]) {
      tool.answers(status, "{}");
      assert.equal((await invoke({ tool_name: "weather" })).status, 202);
    }
  });

  for (const status of [400, 401, 404, 418, 422, 429, 500, 503]) {
    it(`of ${status} is passed on with its status, and not its body`, async () => {
      tool.answers(status, '{"error":"planted"}');
      const text = `External tool 'weather' returned error: Status ${status}`;
      assertDetail(await invoke({ tool_name: "weather" }), status, text);
    });
  }

  it("of a redirect is an error too: it is not followed", async () => {
    tool.answers(302, "{}", { location: `${url}/elsewhere` });
    const got = await invoke({ tool_name: "weather" });
    assertDetail(got, 302, "External tool 'weather' returned error: Status 302");
    assert.equal(got.headers.location, undefined);
  });

  for (const text of ["not json", "", "{"]) {
    it(`of 200 and ${JSON.stringify(text)} is 500`, async () => {
      tool.answers(200, text);
      const got = await invoke({ tool_name: "weather" });
      assert.equal(got.status, 500);
      const { detail } = got.json as { detail: string };
      assert.match(detail, /^An unexpected error occurred while calling external tool 'weather': /);
    });
  }

  it("that does not come is 503 for a closed port, and 504 after 15 seconds", async () => {
    const closed = "Could not connect to external tool 'closed' at http://127.0.0.1:1/invoke.";
    assertDetail(await invoke({ tool_name: "closed" }), 503, closed);
    tool.answer = () => undefined;
    const before = tool.received.length;
    const waiting = invoke({ tool_name: "weather" });
    await app.until(() => tool.received.length > before, 0);
    app.app.time.advance(14_000);
    const early = await Promise.race([waiting, new Promise((resolve) => setImmediate(() => resolve("waiting")))]);
    assert.equal(early, "waiting");
    app.app.time.advance(1_500);
    assertDetail(await waiting, 504, "Request to external tool 'weather' timed out.");
  });
});

test("any other message is accepted with the agent's id, whatever becomes of it", async () => {
  const body = { senderId: "s", messageType: "ping", payload: { a: 1 }, unknown: true };
  const got = await app.post(`/v1/agents/${agentId}/run`, body);
  assert.equal(got.status, 202);
  assert.equal(
    got.text,
    `{"status":"success","message":"Task accepted for agent ${agentId}. Dispatch scheduled.",` +
      `"data":{"agentId":"${agentId}","dispatch_status":"scheduled"},"error_code":null}`,
  );
});

test("only the very word is special", async () => {
  for (const messageType of ["TOOL_INVOCATION", "tool_invocation ", ""]) {
    const body = { senderId: "s", messageType, payload: {} };
    assert.equal((await app.post(`/v1/agents/${agentId}/run`, body)).status, 202);
  }
});

// Who may register under a name that is taken, and who may do what without a key on which address.

import assert from "node:assert/strict";
import { after, describe, it, test } from "node:test";
import { assertDetail, assertIssues, KEY, Original, original } from "./original.ts";

const REGISTER = "/v1/agents/register";
const BEARER = { authorization: `Bearer ${KEY}` };
const app = original();
const others: Original[] = [];
after(async () => {
  for (const each of others) await each.close();
});

function registration(agentName: string, contactEndpoint = "http://127.0.0.1:9/") {
  return { agentName, version: "1", contactEndpoint };
}

describe("an agent that comes back", () => {
  it("is refused without its key, and known again with it or with an admin's: same id, endpoint updated", async () => {
    const first = await app.post(REGISTER, registration("back"));
    const { agentId } = (first.json as { data: { agentId: string } }).data;
    const own = { authorization: `Bearer ${first.headers["x-agent-key"]}` };
    const taken = "Agent with name 'back' already registered.";
    assertDetail(await app.post(REGISTER, registration("back")), 409, taken);
    for (const [i, headers] of [own, BEARER].entries()) {
      const again = await app.post(REGISTER, registration("back", `http://127.0.0.1:9/${i}`), headers);
      assert.equal(again.status, 201);
      assert.deepEqual((again.json as { data: unknown }).data, { agentId });
      assert.match(String(again.headers["x-agent-key"]), /^opk_/);
      const { data } = (await app.get("/v1/agents")).json as { data: Record<string, unknown>[] };
      assert.equal(data.find((agent) => agent.agentId === agentId)?.contactEndpoint, `http://127.0.0.1:9/${i}`);
    }
    assertDetail(await app.post(REGISTER, registration("back")), 409, taken);
  });

  it("keeps its state", async () => {
    const first = await app.post(REGISTER, registration("stateful"));
    const { agentId } = (first.json as { data: { agentId: string } }).data;
    const own = { authorization: `Bearer ${first.headers["x-agent-key"]}` };
    const report = { agentId, timestamp: "2026-01-01T00:00:00Z", state: "idle" };
    assert.equal((await app.post(`/v1/opscore/agent/${agentId}/state`, report, own)).status, 202);
    await app.post(REGISTER, registration("stateful"), own);
    const state = await app.get(`/v1/opscore/agent/${agentId}/state`);
    assert.equal((state.json as { state: string }).state, "idle");
  });

  it("is not taken for another by a third one's key", async () => {
    const first = await app.post(REGISTER, registration("mine"));
    await app.post(REGISTER, registration("theirs"));
    const own = { authorization: `Bearer ${first.headers["x-agent-key"]}` };
    assert.equal((await app.post(REGISTER, registration("theirs"), own)).status, 403);
  });

  it("needs no key from the same endpoint where the operator said so, and only from there", async () => {
    const lenient = new Original({ OPSPAWN_REREGISTER: "same-endpoint" });
    others.push(lenient);
    await lenient.start();
    const id = await lenient.agent("same", "http://127.0.0.1:9/here");
    assert.equal(await lenient.agent("same", "http://127.0.0.1:9/here"), id);
    const elsewhere = await lenient.post(REGISTER, registration("same", "http://127.0.0.1:9/there"));
    assertDetail(elsewhere, 409, "Agent with name 'same' already registered.");
  });
});

describe("an agent's own key", () => {
  it("reports its own state, and nobody else's", async () => {
    const first = await app.post(REGISTER, registration("one"));
    const other = await app.agent("other");
    const { agentId } = (first.json as { data: { agentId: string } }).data;
    const own = { authorization: `Bearer ${first.headers["x-agent-key"]}` };
    const report = (id: string) =>
      app.post(`/v1/opscore/agent/${id}/state`, { agentId: id, timestamp: "2026-01-01T00:00:00Z", state: "idle" }, own);
    assert.equal((await report(agentId)).status, 202);
    assert.equal((await report(other)).status, 403);
  });

  it("sends messages in its own name only", async () => {
    const first = await app.post(REGISTER, registration("speaker"));
    const { agentId } = (first.json as { data: { agentId: string } }).data;
    const own = { authorization: `Bearer ${first.headers["x-agent-key"]}` };
    const body = (senderId: string) => ({ senderId, messageType: "ping", payload: {} });
    assert.equal((await app.post(`/v1/agents/${agentId}/run`, body(agentId), own)).status, 202);
    assert.equal((await app.post(`/v1/agents/${agentId}/run`, body("somebody"), own)).status, 403);
  });

  it("ends with the agent", async () => {
    const first = await app.post(REGISTER, registration("ended"));
    const { agentId } = (first.json as { data: { agentId: string } }).data;
    const own = { authorization: `Bearer ${first.headers["x-agent-key"]}` };
    assert.equal((await app.send("DELETE", `/v1/agents/${agentId}`, { headers: own })).status, 200);
    const report = { agentId, timestamp: "2026-01-01T00:00:00Z", state: "idle" };
    const answer = await app.post(`/v1/opscore/agent/${agentId}/state`, report, own);
    assertDetail(answer, 401, "Invalid authentication credentials");
  });
});

describe("an endpoint nobody may call", () => {
  for (const [contactEndpoint, named] of [
    ["http://169.254.169.254/", "169.254.169.254"],
    ["http://[fd00:ec2::254]/latest", "fd00:ec2::254"],
    ["http://10.1.2.3/", "OPSPAWN_OUTBOUND_ALLOW"],
    ["http://0.0.0.0/", "OPSPAWN_OUTBOUND_ALLOW"],
    ["http://user:pass@example.com/", "user name or password"],
  ] as const) {
    it(`such as ${contactEndpoint} is a 422 that says why, and nothing is stored`, async () => {
      const answer = await app.post(REGISTER, registration(`refused ${contactEndpoint}`, contactEndpoint));
      const { detail } = answer.json as { detail: { msg: string }[] };
      const msg = detail[0]?.msg ?? "";
      assertIssues(answer, [
        { type: "value_error", loc: ["body", "contactEndpoint"], msg, input: contactEndpoint, ctx: { error: {} } },
      ]);
      assert.match(msg, /^Value error, /);
      assert.ok(msg.includes(named), msg);
      assert.equal(answer.headers["x-error-code"], "endpoint_refused");
      const { data } = (await app.get("/v1/agents")).json as { data: Record<string, unknown>[] };
      assert.ok(!data.some(({ agentName }) => agentName === `refused ${contactEndpoint}`));
    });
  }
});

describe("on a public address", () => {
  const body = registration("public", "http://93.184.216.34/");
  const routes = [
    ["POST", REGISTER, body],
    ["GET", "/v1/agents", undefined],
    ["POST", "/v1/agents/x/run", { senderId: "s", messageType: "m", payload: {} }],
    ["POST", "/v1/opscore/agent/x/state", { agentId: "x", timestamp: "t", state: "s" }],
    ["POST", "/v1/opscore/agent/x/workflow", { workflowDefinitionId: "w" }],
  ] as const;
  const call = (server: Original, [method, path, sent]: (typeof routes)[number], key: string | null) =>
    server.app.call(method, path, { key, ...(sent === undefined ? {} : { body: sent }) });

  it("everything needs a key but health, readiness and the root", async () => {
    const server = new Original({ OPSPAWN_HOST: "0.0.0.0" });
    others.push(server);
    for (const route of routes) {
      const answer = await call(server, route, null);
      assert.deepEqual([answer.status, answer.body], [401, { detail: "Authorization header missing" }], route[1]);
      assert.notEqual((await call(server, route, KEY)).status, 401);
    }
    for (const path of ["/", "/health", "/healthz"]) {
      assert.equal((await server.app.call("GET", path, { key: null })).status, 200);
    }
  });

  it("registering, listing and running need none where the operator opened AgentKit; the rest still does", async () => {
    const server = new Original({ OPSPAWN_HOST: "0.0.0.0", OPSPAWN_OPEN: "agentkit" });
    others.push(server);
    const statuses = [];
    for (const route of routes) statuses.push((await call(server, route, null)).status);
    assert.deepEqual(statuses, [201, 200, 404, 401, 401]);
  });

  it("test-api-key is no key", () => {
    assert.throws(() => new Original({ OPSPAWN_HOST: "0.0.0.0", OPSCORE_API_KEY: "test-api-key" }), /test-api-key/);
  });
});

test("test-api-key works on a loopback address when it is set", async () => {
  const server = new Original({ OPSCORE_API_KEY: "test-api-key" });
  others.push(server);
  const answer = await server.app.call("GET", "/v1/opscore/agent/x/state", { key: "test-api-key" });
  assert.equal(answer.status, 404);
  assert.equal((await app.get("/v1/opscore/agent/x/state", { authorization: "Bearer test-api-key" })).status, 401);
});

describe("AgentKit alone", () => {
  it("is healthy in its own word, knows no route of Ops-Core, and gives agents no keys", async () => {
    const server = new Original({ OPSPAWN_ROLE: "agentkit" });
    others.push(server);
    await server.start();
    assert.equal((await server.get("/health", {})).text, '{"status":"healthy"}');
    const registered = await server.post(REGISTER, registration("split"));
    assert.equal(registered.status, 201);
    assert.equal(registered.headers["x-agent-key"], undefined);
    assertDetail(
      await server.post(REGISTER, registration("split")),
      409,
      "Agent with name 'split' already registered.",
    );
    assert.equal((await server.post(REGISTER, registration("split"), BEARER)).status, 201);
    for (const path of ["/v1/opscore/agent/x/state", "/v1/opscore/agent/x/workflow"]) {
      assertDetail(await server.post(path, {}), 404, "Not Found");
    }
    assertDetail(await server.post("/v1/opscore/internal/agent/notify", {}), 404, "Not Found");
    assert.equal((await server.get("/v1/opscore/sessions")).status, 404);
    assert.equal((await server.get("/v1/opscore/deliveries")).status, 200);
    assert.equal((await server.get("/v1/tools")).status, 200);
  });
});

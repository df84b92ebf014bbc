import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../../app/test-app.ts";

const AGENTS = "/v1/opscore/agents";

let app: TestApp;
before(() => {
  app = new TestApp();
});
after(() => app.close());

function register(body: JsonObject, call: Parameters<TestApp["call"]>[2] = {}) {
  return app.call("POST", AGENTS, { body, key: null, ...call });
}

function agentOf(answer: { body: JsonObject }): JsonObject {
  return answer.body.agent as JsonObject;
}

test("registering answers all that is known of the agent, and a key of its own", async () => {
  const answer = await register({
    agentName: "scorer",
    capabilities: ["text.score"],
    contactEndpoint: "HTTP://127.0.0.1:80/a/../b",
    maxConcurrency: 3,
    timeout: "30s",
    metadata: { team: "news" },
  });
  assert.equal(answer.status, 201);
  const agent = agentOf(answer);
  assert.equal(agent.contactEndpoint, "http://127.0.0.1/b");
  assert.equal(agent.state, "UNKNOWN");
  assert.equal(agent.stateReportedAt, null);
  assert.equal(agent.health, "ready");
  assert.equal(agent.blocked, null);
  assert.deepEqual(agent.slots, { total: 3, held: 0, draining: 0 });
  const key = answer.body.agentKey as string;
  assert.match(key, /^opk_/);
  assert.deepEqual(await app.ok("GET", `${AGENTS}/${agent.agentId}`, { key }), agent);
});

test("an agent may say in its metadata how much it takes at once, as those of the originals do", async () => {
  const body = {
    agentName: "meta",
    contactEndpoint: "http://127.0.0.1:1/",
    metadata: { config: { maxConcurrency: 7 } },
  };
  assert.equal(agentOf(await register(body)).maxConcurrency, 7);
});

test("an agent that is sent its work needs an endpoint we may call", async () => {
  const refused = async (contactEndpoint: string | null, code: string, msg: RegExp) => {
    const body = { agentName: "refused", contactEndpoint };
    const answer = await register(body);
    const [issue] = answer.body.detail as JsonObject[];
    assert.equal(answer.status, 422);
    assert.equal(answer.body.code, code);
    assert.deepEqual(issue?.loc, ["body", "contactEndpoint"]);
    assert.match(issue?.msg as string, msg);
  };
  await refused(null, "invalid_request", /is required.*channel: "pull"/);
  await refused("nonsense", "invalid_request", /valid http or https URL/);
  await refused("ftp://example.com/", "endpoint_refused", /http and https/);
  await refused("http://169.254.169.254/latest", "endpoint_refused", /metadata/);
  await refused("http://10.0.0.1/", "endpoint_refused", /OPSPAWN_OUTBOUND_ALLOW=10\.0\.0\.1/);
});

test("an agent says how long it may be silent, and how it shows that it works", async () => {
  const body = {
    agentName: "probed",
    channel: "pull",
    silenceTimeout: "30s",
    probe: { parameters: { ping: 1 }, expect: 2 },
  };
  const agent = agentOf(await register(body));
  assert.equal(agent.silenceTimeout, "30s");
  assert.deepEqual(agent.probe, { parameters: { ping: 1 }, timeout: "30s", expect: 2 });
  const meta = { agentName: "meta2", channel: "pull", metadata: { config: { silenceTimeout: "5s" } } };
  assert.equal(agentOf(await register(meta)).silenceTimeout, "5s");
  const odd = { agentName: "meta3", channel: "pull", metadata: { config: { silenceTimeout: "1s" } } };
  assert.equal(agentOf(await register(odd)).silenceTimeout, null, "what cannot be meant is passed over");
  const refused = [{ silenceTimeout: "1s" }, { probe: { timeout: "soon" } }, { probe: { more: 1 } }];
  for (const rest of refused) {
    const answer = await register({ agentName: "odd", channel: "pull", ...rest });
    assert.equal(answer.status, 422, JSON.stringify(rest));
  }
});

test("an agent is quarantined and readmitted by hand, shown with why, and listed by its health", async () => {
  const agentId = agentOf(await register({ agentName: "wrong", contactEndpoint: "http://127.0.0.1:1/" })).agentId;
  const body = { reason: "wrong answers" };
  const held = await app.ok("POST", `${AGENTS}/${agentId}/quarantine`, { body });
  assert.equal(held.health, "quarantined");
  assert.partialDeepStrictEqual(held.healthEvidence, { cause: "manual", details: { reason: "wrong answers" } });
  assert.match(
    (held.blocked as JsonObject).message as string,
    /is quarantined by .* \(wrong answers\); somebody has to/,
  );
  const { items } = await app.ok("GET", `${AGENTS}?health=quarantined`);
  assert.deepEqual(
    (items as JsonObject[]).map((agent) => agent.agentId),
    [agentId],
  );
  const back = await app.ok("POST", `${AGENTS}/${agentId}/readmit`);
  assert.deepEqual([back.health, back.healthEvidence, back.blocked], ["ready", null, null]);
  for (const verb of ["quarantine", "readmit"]) {
    const answer = await app.call("POST", `${AGENTS}/nobody/${verb}`, { body: {} });
    assert.equal(answer.body.code, "agent_not_found");
  }
});

test("no agent readmits itself", async () => {
  const { id, key } = await app.pullAgent("itself");
  assert.equal((await app.call("POST", `${AGENTS}/${id}/readmit`, { key })).status, 403);
});

test("a bad timeout is named with its place", async () => {
  const answer = await register({ agentName: "slow", channel: "pull", timeout: "soon" });
  assert.equal(answer.status, 422);
  assert.deepEqual((answer.body.detail as JsonObject[])[0]?.loc, ["body", "timeout"]);
  assert.equal((await register({ agentName: "slow", channel: "pull", timeout: "8d" })).status, 422);
});

test("a name belongs to one agent, which alone may register again under it", async () => {
  const first = await register({ agentName: "mine", channel: "pull" });
  const key = first.body.agentKey as string;
  const again = { agentName: "mine", channel: "pull", capabilities: ["more"] };
  assert.equal((await register(again)).body.code, "agent_name_taken");
  const returned = await register(again, { key });
  assert.equal(returned.status, 201);
  assert.equal(agentOf(returned).agentId, agentOf(first).agentId);
  assert.deepEqual(agentOf(returned).capabilities, ["more"]);
  for (const text of [key, returned.body.agentKey as string]) {
    assert.equal((await app.call("GET", AGENTS, { key: text })).status, 200);
  }
  const stranger = await register({ agentName: "other", channel: "pull" });
  assert.equal((await register(again, { key: stranger.body.agentKey as string })).status, 403);
});

test("an operator may replace any agent", async () => {
  const first = await register({ agentName: "replaced", channel: "pull" });
  const body = { agentName: "replaced", channel: "pull" };
  const second = await app.call("POST", AGENTS, { body });
  assert.equal(agentOf(second).agentId, agentOf(first).agentId);
});

test("agents without keys may return to the same endpoint where the operator says so", async () => {
  const lenient = new TestApp({ OPSPAWN_REREGISTER: "same-endpoint" });
  const body = { agentName: "returns", contactEndpoint: "http://127.0.0.1:9001/" };
  const first = await lenient.call("POST", AGENTS, { body, key: null });
  const second = await lenient.call("POST", AGENTS, { body, key: null });
  assert.equal(agentOf(second).agentId, agentOf(first).agentId);
  const moved = { ...body, contactEndpoint: "http://127.0.0.1:9002/" };
  assert.equal((await lenient.call("POST", AGENTS, { body: moved, key: null })).status, 409);
  await lenient.close();
});

test("an agent that registers again changes its key: the old one goes on until an hour after the new one's first use", async () => {
  const body = { agentName: "rotates", channel: "pull" };
  const first = await register(body);
  const { agentId } = agentOf(first);
  const oldKey = first.body.agentKey as string;
  app.time.advance(1);
  const newKey = (await register(body, { key: oldKey })).body.agentKey as string;
  const status = async (key: string) => (await app.call("GET", `${AGENTS}/${agentId}`, { key })).status;
  app.time.advance(48 * 3_600_000);
  assert.equal(await status(oldKey), 200, "the answer with the new key may have been lost: the old one still opens");
  assert.equal(await status(newKey), 200);
  await settled();
  app.time.advance(3_599_000);
  assert.deepEqual([await status(oldKey), await status(newKey)], [200, 200]);
  app.time.advance(1_000);
  assert.deepEqual([await status(oldKey), await status(newKey)], [401, 200]);
});

test("a repeated registration with the same Idempotency-Key gets the same answer, the key included", async () => {
  const headers = { "idempotency-key": "register-once" };
  const body = { agentName: "once", channel: "pull" };
  const first = await register(body, { headers });
  const second = await register(body, { headers });
  assert.equal(first.headers["idempotent-replayed"], undefined);
  assert.equal(second.headers["idempotent-replayed"], "true");
  assert.deepEqual(second.body, first.body);
  assert.equal((await app.call("GET", AGENTS, { key: second.body.agentKey as string })).status, 200);
  const other = await register({ ...body, version: "2.0" }, { headers });
  assert.equal(other.body.code, "idempotency_key_reused");
});

test("agents are listed by name, page by page, and by capability or state", async () => {
  const listing = new TestApp();
  for (const name of ["c", "a", "b"]) await listing.pullAgent(name, [name === "a" ? "special" : "plain"]);
  const first = await listing.ok("GET", `${AGENTS}?limit=2`);
  const rest = await listing.ok("GET", `${AGENTS}?limit=2&cursor=${first.nextCursor}`);
  const names = [...(first.items as JsonObject[]), ...(rest.items as JsonObject[])].map((agent) => agent.agentName);
  assert.deepEqual(names, ["a", "b", "c"]);
  assert.equal(rest.nextCursor, null);
  const special = await listing.ok("GET", `${AGENTS}?capability=special&state=UNKNOWN`);
  assert.equal((special.items as JsonObject[]).length, 1);
  assert.equal((await listing.call("GET", `${AGENTS}?cursor=nonsense`)).body.code, "invalid_cursor");
  await listing.close();
});

test("an agent's reports are listed newest first", async () => {
  const { id } = await app.pullAgent("reporter");
  for (const state of ["initializing", "idle"]) {
    const report = {
      agentId: id,
      state,
      details: '{"n":1.0}',
      timestamp: "2026-01-01T00:00:00Z",
      reportedAt: null,
      taskId: null,
    };
    await app.app.store.agents.report(report);
  }
  const { items } = await app.ok("GET", `${AGENTS}/${id}/states`);
  const states = (items as JsonObject[]).map((report) => report.state);
  assert.deepEqual(states.slice(0, 2), ["idle", "initializing"]);
  const agent = await app.ok("GET", `${AGENTS}/${id}`);
  assert.equal(agent.state, "idle");
  assert.notEqual(agent.stateReportedAt, null);
});

test("an unknown agent is not found, by any of its routes", async () => {
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["GET", "/states"],
    ["POST", "/claim"],
  ] as const) {
    const answer = await app.call(method, `${AGENTS}/nobody${path}`, method === "POST" ? { body: {} } : {});
    assert.equal(answer.body.code, "agent_not_found", `${method} ${path}`);
  }
});

test("an agent that was removed cannot speak any more, at once", async () => {
  const { id, key } = await app.pullAgent("leaving");
  assert.equal((await app.call("GET", AGENTS, { key })).status, 200);
  assert.deepEqual(await app.ok("DELETE", `${AGENTS}/${id}`, { key }), { agentId: id, reassigned: 0 });
  assert.equal((await app.call("GET", AGENTS, { key })).status, 401);
});

test("a claim waits until there is work, and takes it at once", async () => {
  const agent = await app.pullAgent("waiting", ["waited.for"]);
  const claim = app.ok("POST", `${AGENTS}/${agent.id}/claim`, { body: { wait: "20s" }, key: agent.key });
  await settled();
  const workflow = {
    id: "w",
    tasks: [{ taskId: "a", name: "First", agentCapability: "waited.for", parameters: { n: 1 } }],
  };
  const session = await app.ok("POST", "/v1/opscore/sessions", { body: { workflow } });
  const { tasks } = await claim;
  const [assignment] = tasks as JsonObject[];
  assert.ok(assignment);
  const ticket = assignment.opspawn as JsonObject;
  assert.deepEqual(
    { ...assignment, timestamp: "", opspawn: "" },
    {
      senderId: "opscore_system_id",
      timestamp: "",
      messageType: "workflow_task",
      payload: { n: 1 },
      sessionContext: { sessionId: session.sessionId, priorMessages: [] },
      task_name: "First",
      opscore_session_id: session.sessionId,
      opscore_task_id: ticket.taskId,
      opspawn: "",
    },
  );
  assert.match(
    ticket.resultUrl as string,
    new RegExp(`^http://127\\.0\\.0\\.1:\\d+/v1/opscore/tasks/${ticket.taskId}/result$`),
  );
  assert.equal((await app.ok("GET", `${AGENTS}/${agent.id}`)).health, "ready");
});

test("a claim ends without work when the time is over", async () => {
  const agent = await app.pullAgent("patient");
  const claim = app.ok("POST", `${AGENTS}/${agent.id}/claim`, { body: { wait: "4s" }, key: agent.key });
  for (const ms of [3_000, 1_000]) {
    await settled();
    app.time.advance(ms);
  }
  assert.deepEqual(await claim, { tasks: [], cancelled: [] });
});

test("an agent that is sent its work cannot ask for it, and nobody waits longer than a minute", async () => {
  const pushed = await register({ agentName: "pushed", contactEndpoint: "http://127.0.0.1:9001/" });
  const answer = await app.call("POST", `${AGENTS}/${agentOf(pushed).agentId}/claim`, { body: {} });
  assert.equal(answer.status, 422);
  assert.match((answer.body.detail as JsonObject[])[0]?.msg as string, /channel: "pull"/);
  const { id } = await app.pullAgent("hasty");
  const tooLong = await app.call("POST", `${AGENTS}/${id}/claim`, { body: { wait: "61s" } });
  assert.deepEqual((tooLong.body.detail as JsonObject[])[0]?.loc, ["body", "wait"]);
});

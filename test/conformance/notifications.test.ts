// Notifications of registrations: what AgentKit sends, and what Ops-Core takes from whom.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, describe, it, test } from "node:test";
import { assertDetail, KEY, Original } from "./original.ts";
import { Receiver } from "./receiver.ts";
import { closeConnections } from "./wire.ts";

const NOTIFY = "/v1/opscore/internal/agent/notify";
const SECRET = "super-secret-webhook-key-123";
const BEARER = { authorization: `Bearer ${KEY}` };

const open: (Original | Receiver)[] = [];
after(async () => {
  for (const each of open) await each.close();
  closeConnections();
});

async function server(env: Record<string, string> = {}): Promise<Original> {
  const made = new Original(env);
  open.push(made);
  await made.start();
  return made;
}

async function receiver(): Promise<Receiver> {
  const made = await new Receiver().open();
  open.push(made);
  return made;
}

function details(agentId: string, rest: object = {}) {
  return {
    agentId,
    agentName: `name of ${agentId}`,
    version: "1.0",
    capabilities: ["a"],
    contactEndpoint: "http://127.0.0.1:9/",
    metadata: {},
    ...rest,
  };
}

function register(agentId: string, rest: object = {}) {
  return { event_type: "REGISTER", agent_details: details(agentId, rest) };
}

/** As AgentKit signs: over the raw bytes. */
function signature(body: string, timestamp: number, secret = SECRET): Record<string, string> {
  const digest = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { "x-agentkit-timestamp": String(timestamp), "x-agentkit-signature": digest };
}

async function stateOf(app: Original, id: string) {
  const answer = await app.get(`/v1/opscore/agent/${id}/state`);
  return answer.status === 200 ? (answer.json as { state: string; details: unknown }) : null;
}

describe("Ops-Core on a loopback address without a secret takes unsigned notifications", () => {
  let app: Original;
  it("of a registration: the agent is known, in state UNKNOWN", async () => {
    app = await server();
    const answer = await app.post(NOTIFY, register("i1"));
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '{"status":"success","message":"Agent i1 registered successfully."}');
    const state = await app.get("/v1/opscore/agent/i1/state");
    const { timestamp } = state.json as { timestamp: string };
    assert.equal(
      state.text,
      `{"agentId":"i1","state":"UNKNOWN","details":{"reason":"Initial registration"},"timestamp":"${timestamp}"}`,
    );
    assert.match(timestamp, /^20\d\d-.*Z$/);
  });

  it("whatever the case of the event, and whatever else stands there", async () => {
    const body = { event_type: "register", more: 1, agent_details: details("i2", { registration_time: "x", x: 1 }) };
    assert.equal((await app.post(NOTIFY, body)).status, 200);
    assert.equal((await stateOf(app, "i2"))?.state, "UNKNOWN");
  });

  it("with metadata of any form, and ids of any text", async () => {
    const id = "an id/with ? and #";
    const metadata = { id_hint: "h", deep: { n: [1.5] } };
    assert.equal((await app.post(NOTIFY, register(id, { metadata }))).status, 200);
    const agent = await app.get(`/v1/opscore/agents/${encodeURIComponent(id)}`);
    assert.deepEqual((agent.json as { metadata: unknown }).metadata, metadata);
  });

  it("but none without an id, or of an event nobody knows", async () => {
    const missing = "Missing agentId in agent_details for REGISTER event.";
    assertDetail(await app.post(NOTIFY, register("")), 400, missing);
    const unknown = { ...register("i1"), event_type: "Rename" };
    assertDetail(await app.post(NOTIFY, unknown), 400, "Unknown event type: Rename");
  });

  it("and two agents of one name", async () => {
    for (const id of ["same-1", "same-2"]) {
      assert.equal((await app.post(NOTIFY, register(id, { agentName: "same" }))).status, 200);
    }
    assert.notEqual(await stateOf(app, "same-1"), null);
  });

  it("a repetition keeps the state, a change or a new start sets it back", async () => {
    const report = (state: string) =>
      app.post("/v1/opscore/agent/r1/state", { agentId: "r1", timestamp: "2026-01-01T00:00:00Z", state });
    const first = register("r1", { registration_time: "2026-01-01T00:00:00Z" });
    await app.post(NOTIFY, first);
    await report("idle");
    await app.post(NOTIFY, first);
    assert.equal((await stateOf(app, "r1"))?.state, "idle");
    await app.post(NOTIFY, register("r1", { registration_time: "2026-01-01T00:00:00Z", version: "2" }));
    assert.equal((await stateOf(app, "r1"))?.state, "UNKNOWN");
    await report("idle");
    await app.post(NOTIFY, register("r1", { registration_time: "2026-01-02T00:00:00Z", version: "2" }));
    assert.equal((await stateOf(app, "r1"))?.state, "UNKNOWN");
  });

  it("of a deregistration: the text of the original, and the agent is gone; twice, or of a stranger, is no error", async () => {
    await app.post(NOTIFY, register("gone"));
    for (const id of ["gone", "gone", "nobody"]) {
      const answer = await app.post(NOTIFY, { event_type: "DEREGISTER", agent_details: details(id) });
      assert.equal(answer.status, 200);
      assert.equal(
        answer.text,
        '{"status":"success","message":"DEREGISTER notification received but not fully processed."}',
      );
    }
    assertDetail(await app.get("/v1/opscore/agent/gone/state"), 404, "No state found for agent gone");
  });

  it("with signature headers that nobody can check", async () => {
    const headers = { "x-agentkit-timestamp": "1", "x-agentkit-signature": "00" };
    assert.equal((await app.post(NOTIFY, register("i3"), headers)).status, 200);
  });
});

describe("Ops-Core with a secret", () => {
  let app: Original;
  const seconds = () => Math.floor(app.app.time.now() / 1000);
  const notify = (body: string, headers: Record<string, string>) => app.raw(NOTIFY, body, headers);

  it("takes what is signed with it, over the bytes as they came", async () => {
    app = await server({ OPSCORE_WEBHOOK_SECRET: SECRET });
    const body = `{ "event_type" : "REGISTER",  "agent_details": ${JSON.stringify(details("s1", { agentName: "\u00e4" }))}}`;
    assert.equal((await notify(body, signature(body, seconds()))).status, 200);
    const escaped = body.replace("\u00e4", "\\u00e4").replace("s1", "s2");
    assert.equal((await notify(escaped, signature(escaped, seconds()))).status, 200);
    assert.notEqual(await stateOf(app, "s2"), null);
  });

  it("refuses what is not signed, forged, of another body, too old, from the future or sent again", async () => {
    const body = JSON.stringify(register("f1"));
    const now = seconds();
    for (const [headers, sent] of [
      [{}, body],
      [signature(body, now, "another secret"), body],
      [signature(body, now), body.replace("f1", "f2")],
      [signature(body, now - 301), body],
      [signature(body, now + 302), body],
      [{ ...signature(body, now), "x-agentkit-timestamp": String(now + 1) }, body],
      [{ ...signature(body, now), "x-agentkit-timestamp": "2026-01-01T00:00:00Z" }, body],
      [{ ...signature(body, now), "x-agentkit-signature": "zz" }, body],
      [{ "x-agentkit-signature": signature(body, now)["x-agentkit-signature"] ?? "" }, body],
    ] as const) {
      const answer = await notify(sent, headers);
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.equal(answer.headers["x-error-code"], "signature_invalid");
      assert.deepEqual(Object.keys(answer.json as object), ["detail"]);
    }
    assert.equal(await stateOf(app, "f1"), null);
    assert.equal(await stateOf(app, "f2"), null);
    const headers = signature(body, now);
    assert.equal((await notify(body, headers)).status, 200);
    const copy = await notify(body, headers);
    assert.equal(copy.status, 409);
    assert.equal(copy.headers["x-error-code"], "signature_replayed");
  });

  it("refuses an unsigned one even with a key: the secret is what is asked for", async () => {
    assert.equal((await app.post(NOTIFY, register("k1"), BEARER)).status, 401);
  });

  it("says of a signed one what is wrong with it", async () => {
    const body = '{"event_type":';
    const answer = await notify(body, signature(body, seconds()));
    assert.equal(answer.status, 422);
  });
});

test("on a public address only signed notifications are taken, or those with an admin's key where there is no secret", async () => {
  for (const secret of [false, true]) {
    const env = { OPSPAWN_HOST: "0.0.0.0", ...(secret ? { OPSCORE_WEBHOOK_SECRET: SECRET } : {}) };
    // Not started: its routes are asked without any port being opened.
    const app = new Original(env);
    open.push(app);
    const body = { ...register("p1", { contactEndpoint: "http://93.184.216.34/" }) };
    const unsigned = await app.app.call("POST", NOTIFY, { body, key: null });
    assert.equal(unsigned.status, 401);
    const seconds = Math.floor(app.app.time.now() / 1000);
    const headers = signature(JSON.stringify(body), seconds);
    const signed = await app.app.call("POST", NOTIFY, { body, key: null, headers });
    assert.equal(signed.status, secret ? 200 : 401);
    const keyed = await app.app.call("POST", NOTIFY, { body });
    assert.equal(keyed.status, secret ? 401 : 200);
  }
});

describe("AgentKit tells Ops-Core of a registration", () => {
  const env = (to: Receiver, rest: Record<string, string> = {}) => ({
    OPSPAWN_ROLE: "agentkit",
    OPSCORE_WEBHOOK_URL: `${to.url}${NOTIFY}`,
    OPSCORE_WEBHOOK_SECRET: SECRET,
    ...rest,
  });

  it("signed, with its whole record, escaped as the original did, before it answers the 201", async () => {
    const opscore = await receiver();
    const app = await server(env(opscore));
    const id = await app.agent("n\u00e4me \u{1f600}", "http://127.0.0.1:9", { capabilities: ["a"] });
    assert.equal(opscore.received.length, 1);
    const [notice] = opscore.received;
    const { data } = (await app.get("/v1/agents")).json as { data: { registration_time: string }[] };
    assert.equal(notice?.method, "POST");
    assert.equal(notice?.path, NOTIFY);
    assert.equal(notice?.headers["content-type"], "application/json");
    assert.equal(
      notice?.body,
      `{"event_type":"REGISTER","agent_details":{"agentId":"${id}","agentName":"n\\u00e4me \\ud83d\\ude00",` +
        `"capabilities":["a"],"version":"1","contactEndpoint":"http://127.0.0.1:9/","metadata":{},` +
        `"registration_time":"${data[0]?.registration_time}"}}`,
    );
    const timestamp = String(notice?.headers["x-agentkit-timestamp"]);
    assert.match(timestamp, /^\d+$/);
    assert.equal(
      notice?.headers["x-agentkit-signature"],
      signature(notice?.body ?? "", Number(timestamp))["x-agentkit-signature"],
    );
    await app.agent("described", "http://127.0.0.1:9", { metadata: { config: { a: 1 } } });
    assert.match(opscore.received[1]?.body ?? "", /"metadata":\{"description":null,"config":\{"a":1\}\}/);
  });

  it("and of a deregistration, after it", async () => {
    const opscore = await receiver();
    const app = await server(env(opscore));
    const id = await app.agent("leaver");
    await app.send("DELETE", `/v1/agents/${id}`, { headers: BEARER });
    await app.until(() => opscore.received.length === 2);
    const [first, last] = opscore.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    assert.equal(last?.event_type, "DEREGISTER");
    assert.deepEqual(last?.agent_details, first?.agent_details);
  });

  it("again and again until it hears; the registration itself does not wait for that, nor fail", async () => {
    const opscore = await receiver();
    opscore.answers(503);
    const app = await server(env(opscore));
    await app.agent("early");
    const failed = await app.get("/v1/opscore/deliveries");
    const [delivery] = (failed.json as { items: Record<string, unknown>[] }).items;
    assert.deepEqual([delivery?.kind, delivery?.status, delivery?.attempts], ["notification", "pending", 1]);
    opscore.answers(200);
    await app.until(() => opscore.received.length === 2);
    assert.notEqual(
      opscore.received[1]?.headers["x-agentkit-timestamp"],
      opscore.received[0]?.headers["x-agentkit-timestamp"],
    );
  });

  it("and answers the 201 after five seconds when Ops-Core does not answer at all", async () => {
    const opscore = await receiver();
    opscore.answer = () => undefined;
    const app = await server(env(opscore));
    const before = app.app.time.now();
    let id = "";
    const registering = app.agent("hanging").then((made) => {
      id = made;
    });
    await app.until(() => id !== "");
    await registering;
    const waited = app.app.time.now() - before;
    assert.ok(waited >= 5_000 && waited < 6_500, String(waited));
  });

  it("and answers it at once when too many wait already", async () => {
    const opscore = await receiver();
    opscore.answer = () => undefined;
    const app = await server(env(opscore, { OPSPAWN_MAX_WAITS: "1" }));
    const timers = app.app.time.waiting;
    const occupied = app.get("/v1/opscore/events?after=1000&wait=60s");
    await app.until(() => app.app.time.waiting > timers, 0);
    await app.agent("impatient");
    await app.until(() => opscore.received.length === 1, 0);
    app.app.time.advance(61_000);
    assert.equal((await occupied).status, 200);
  });

  it("not at all without a secret, as the original", async () => {
    const opscore = await receiver();
    const app = await server(env(opscore, { OPSCORE_WEBHOOK_SECRET: "" }));
    await app.agent("quiet");
    await app.app.time.advance(60_000);
    assert.equal(opscore.received.length, 0);
  });

  it("when both are one process that names itself: nothing is set back by it", async () => {
    const app = await server({
      OPSCORE_WEBHOOK_SECRET: SECRET,
      OPSPAWN_PORT: "0",
      OPSCORE_WEBHOOK_URL: "http://127.0.0.1:1/",
    });
    const id = await app.agent("self", "http://127.0.0.1:9", { metadata: null });
    await app.post(`/v1/opscore/agent/${id}/state`, { agentId: id, timestamp: "2026-01-01T00:00:00Z", state: "idle" });
    const list = await app.get("/v1/opscore/deliveries");
    assert.equal((list.json as { items: unknown[] }).items.length, 1);
    const { data } = (await app.get("/v1/agents")).json as { data: Record<string, unknown>[] };
    const body = JSON.stringify({ event_type: "REGISTER", agent_details: { ...data[0], metadata: {} } });
    const answer = await app.raw(NOTIFY, body, signature(body, Math.floor(app.app.time.now() / 1000)));
    assert.equal(answer.status, 200);
    assert.equal((await stateOf(app, id))?.state, "idle");
  });
});

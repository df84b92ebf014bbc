// AgentKit alone: a task that Ops-Core in another process sends by the run route reaches its agent, and the agent's
// answer reaches Ops-Core.

import assert from "node:assert/strict";
import { after, before, describe, it, test } from "node:test";
import { Original, original } from "./original.ts";
import { Receiver } from "./receiver.ts";

const opsCore = new Receiver();
const agent = new Receiver();
const NOTIFY = "/v1/opscore/internal/agent/notify";
const path = (taskId: string, verb: "lease" | "result") => `/v1/opscore/tasks/${taskId}/${verb}`;
const TRACEPARENT = "00-00000000000070008000000000000001-00000000000000aa-01";
let app: Original;

before(async () => {
  await opsCore.open();
  await agent.open();
  app = new Original({
    OPSPAWN_ROLE: "agentkit",
    OPSCORE_WEBHOOK_URL: `${opsCore.url}${NOTIFY}`,
    OPSCORE_WEBHOOK_SECRET: "of-both-halves",
  });
  await app.start();
});
after(async () => {
  await app.close();
  await Promise.all([opsCore.close(), agent.close()]);
});

function ticket(rest: { taskId?: string; attempt?: number; token?: unknown; resultUrl?: string } = {}) {
  const deadline = new Date(app.app.time.now() + 120_000).toISOString();
  const { taskId = "task_1" } = rest;
  const resultUrl = `${opsCore.url}${path(taskId, "result")}`;
  return { taskId, attempt: 1, token: "1.secret", resultUrl, deadline, capability: "work", ...rest };
}

function message(opspawn: unknown) {
  return {
    senderId: "opscore_system_id",
    timestamp: "2026-01-02T03:04:05.000006Z",
    messageType: "workflow_task",
    payload: { n: 1 },
    sessionContext: { sessionId: "s1", priorMessages: [] },
    task_name: "t",
    opscore_session_id: "s1",
    opscore_task_id: "task_1",
    opspawn,
  };
}

const HEADERS = {
  "idempotency-key": "task_1",
  "x-opspawn-attempt": "1",
  "x-opspawn-token": "1.secret",
  traceparent: TRACEPARENT,
  authorization: "Bearer operator-key-of-the-tests",
  "x-private": "for AgentKit alone",
};

function run(agentId: string, opspawn: unknown, headers: Readonly<Record<string, string>> = HEADERS) {
  return app.post(`/v1/agents/${agentId}/run`, message(opspawn), headers);
}

/** What Ops-Core was sent beside notifications. */
const told = () => opsCore.received.filter(({ path }) => path !== NOTIFY);

describe("a task", () => {
  it("is accepted in the original's words, and reaches its agent with nine keys and its headers", async () => {
    const id = await app.agent("nine", agent.url);
    const opspawn = ticket();
    const answer = await run(id, { ...opspawn, unknown: 1 });
    assert.equal(answer.status, 202);
    assert.equal(
      answer.text,
      `{"status":"success","message":"Task accepted for agent ${id}. Dispatch scheduled.","data":{"agentId":"${id}","dispatch_status":"scheduled"},"error_code":null}`,
    );
    await app.until(() => agent.received.length === 1);
    const [{ headers, body } = assert.fail()] = agent.received;
    const expected = message({ ...opspawn, deadline: opspawn.deadline.replace("Z", "000Z") });
    assert.equal(body, JSON.stringify(expected));
    const { "idempotency-key": key, "x-opspawn-attempt": attempt, "x-opspawn-token": token, traceparent } = headers;
    assert.deepEqual([key, attempt, token, traceparent], ["task_1", "1", "1.secret", TRACEPARENT]);
    assert.deepEqual([headers.authorization, headers["x-private"]], [undefined, undefined]);
    assert.match(String(headers["x-agentkit-signature"]), /^[0-9a-f]{64}$/);
    assert.equal(headers["webhook-id"], "task_1");
  });

  it("sent again for the same attempt is one message, wherever its results go by then", async () => {
    const id = await app.agent("again", agent.url);
    const before = agent.received.length;
    await run(id, ticket({ taskId: "task_again" }));
    const again = await run(id, ticket({ taskId: "task_again", resultUrl: "http://127.0.0.1:1/tasks/x/result" }));
    assert.deepEqual([again.status, again.headers["idempotent-replayed"]], [202, "true"]);
    const next = await run(id, ticket({ taskId: "task_again", attempt: 2, token: "2.secret" }));
    assert.equal(next.headers["idempotent-replayed"], undefined, "the next attempt has the same key and is another");
    await app.until(() => agent.received.length === before + 2);
  });

  it("is refused when what it says of its attempt cannot be read", async () => {
    const id = await app.agent("odd", agent.url);
    const answer = await run(id, ticket({ token: 5 }));
    assert.equal(answer.status, 422);
    assert.match(answer.text, /token/);
  });

  it("without a trace, or with none worth the name, is sent without", async () => {
    const id = await app.agent("traceless", agent.url);
    const before = agent.received.length;
    await run(id, ticket({ taskId: "task_traceless" }), { traceparent: "00-x" });
    await app.until(() => agent.received.length === before + 1);
    assert.equal(agent.received.at(-1)?.headers.traceparent, undefined);
  });
});

test("an agent that answers with the outcome has it posted to Ops-Core, until that has it", async () => {
  const thinker = await new Receiver().open();
  try {
    thinker.answers(200, '{"status":"completed","result":{"n":12345678901234567890}}');
    opsCore.answers(503);
    const id = await app.agent("thinker", thinker.url);
    const before = told().length;
    await run(id, ticket({ taskId: "task_thinker" }));
    await app.until(() => told().length === before + 2);
    opsCore.answers(200, "{}");
    await app.until(() => told().length === before + 3);
    const [first, , last] = told().slice(before);
    assert.deepEqual([first?.path, first?.method], [path("task_thinker", "result"), "POST"]);
    assert.equal(
      first?.body,
      '{"token":"1.secret","status":"completed","delivery":"answered","result":{"n":12345678901234567890}}',
    );
    assert.equal(last?.body, first?.body);
    assert.equal(first?.headers.authorization, undefined, "the token is all the proof it needs");
    const listed = await app.get(`/v1/opscore/deliveries?agent=${id}`);
    const kinds = (listed.json as { items: { kind: string; status: string }[] }).items.map(({ kind }) => kind);
    assert.deepEqual(kinds, ["result", "task", "notification"]);
  } finally {
    await thinker.close();
  }
});

test("an agent that is gone is tried five times, Ops-Core being asked before, and then reported", async () => {
  const gone = await new Receiver().open();
  await gone.close();
  const id = await app.agent("gone", gone.url);
  const before = told().length;
  await run(id, ticket({ taskId: "task_gone" }));
  await app.until(() => told().some(({ body }) => body.includes("undelivered")));
  const asked = told().slice(before);
  assert.equal(asked.at(-1)?.path, path("task_gone", "result"));
  assert.deepEqual([...new Set(asked.slice(0, -1).map((each) => each.path))], [path("task_gone", "lease")]);
});

describe("where both halves are one process", () => {
  const whole = original();
  it("`opspawn` is a key like any unknown one: it is dropped, whatever it holds", async () => {
    const id = await whole.agent("plain", agent.url);
    const before = agent.received.length;
    const answer = await whole.post(`/v1/agents/${id}/run`, message(5));
    assert.equal(answer.status, 202);
    await whole.until(() => agent.received.length === before + 1);
    const { opspawn: _, ...eight } = message(5);
    assert.equal(agent.received.at(-1)?.body, JSON.stringify(eight));
    assert.match(String(agent.received.at(-1)?.headers["idempotency-key"]), /^dlv_/);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { allOperations, originalOperations } from "@opspawn/contract";
import type { InjectOptions } from "fastify";
import { TestApp } from "../app/test-app.ts";

const OPERATOR = "operator-key-of-the-tests";
const SESSIONS = "/v1/opscore/sessions";
const NO_SESSION = `${SESSIONS}/018f0000-0000-7000-8000-000000000000`;
const NO_TASK = "/v1/opscore/tasks/task_018f0000-0000-7000-8000-000000000000/result";
const WORKFLOW = { id: "direct", tasks: [{ taskId: "a", agentCapability: "direct.work" }] };

interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const connections = new Agent({ keepAlive: true });
const names = { sessionId: "", agentId: "", agentKey: "" };
/** Paths the framework was asked for. */
const framework: string[] = [];
let app: TestApp;

before(async () => {
  app = new TestApp();
  app.app.http.addHook("onRequest", async ({ url }) => void framework.push(url));
  await app.start();
  const agent = await app.pullAgent("direct", ["direct.work"]);
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition: WORKFLOW } });
  const { sessionId } = await app.ok("POST", SESSIONS, { body: { workflowId: "direct" } });
  Object.assign(names, { sessionId, agentId: agent.id, agentKey: agent.key });
});
after(async () => {
  connections.destroy();
  await app.close();
});

function complete({ headers, body }: Asked): Record<string, string> {
  const typed = body === undefined ? {} : { "content-type": "application/json" };
  return { authorization: `Bearer ${OPERATOR}`, ...typed, ...headers };
}

/** Over the network, as a caller does. */
async function send(asked: Asked): Promise<Answered> {
  const { port } = app.app.http.server.address() as AddressInfo;
  const length = asked.body === undefined ? {} : { "content-length": Buffer.byteLength(asked.body) };
  const headers = { ...complete(asked), ...length };
  const outgoing = request({
    port,
    host: "127.0.0.1",
    method: asked.method,
    path: asked.path,
    headers,
    agent: connections,
  });
  outgoing.end(asked.body);
  const [incoming] = await once(outgoing, "response");
  const chunks: Buffer[] = await incoming.toArray();
  return { status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(chunks).toString() };
}

/** The same past the network, where only the framework listens. */
async function inject(asked: Asked): Promise<Answered> {
  const options: InjectOptions = { method: asked.method, url: asked.path, headers: complete(asked) };
  const answer = await app.app.http.inject(asked.body === undefined ? options : { ...options, payload: asked.body });
  return { status: answer.statusCode, headers: answer.headers, body: answer.body };
}

/** An answer without what differs from one request to the next. */
function comparable({ status, headers, body }: Answered): unknown {
  const id = String(headers["x-request-id"]);
  const { connection, date, "keep-alive": keep, "x-request-id": own, "x-process-time": time, ...rest } = headers;
  assert.match(String(time), /^\d+\.\d{6}$/);
  const text = body.replaceAll(id, "<id>");
  return { status, headers: { ...rest, "content-length": Number(rest["content-length"]) }, body: text };
}

function plainCases(): Record<string, Asked> {
  const agent = { authorization: `Bearer ${names.agentKey}` };
  const result = (body: object): Asked => ({ method: "POST", path: NO_TASK, body: JSON.stringify(body) });
  const start = (body: string, headers = {}): Asked => ({ method: "POST", path: SESSIONS, body, headers });
  return {
    "a start once more under its key": start('{"workflowId":"direct"}', { "idempotency-key": "same" }),
    "a key used for another start": start('{"workflowId":"direct","input":1}', { "idempotency-key": "same" }),
    "a start of an unknown workflow": start('{"workflowId":"none"}'),
    "a start with a field too many": start('{"workflowId":"direct","colour":"red"}'),
    "a start without anything": start("{}"),
    "malformed JSON": start('{"workflowId":'),
    "a lone surrogate": start('{"workflowId":"\\ud800"}'),
    "a bad idempotency key": start("{}", { "idempotency-key": "two words" }),
    "a key that may not start": start('{"workflowId":"direct"}', agent),
    "a key that is none": start("{}", { authorization: "Bearer nobody" }),
    "another scheme": start("{}", { authorization: "Basic bm9ib2R5" }),
    "a session": { method: "GET", path: `${SESSIONS}/${names.sessionId}` },
    "a session, not waited for": { method: "GET", path: `${SESSIONS}/${names.sessionId}?wait=0s` },
    "an unknown session, waited for": { method: "GET", path: `${NO_SESSION}?wait=10s` },
    "a wait that is none": { method: "GET", path: `${NO_SESSION}?wait=soon` },
    "another agent's work": { method: "POST", path: "/v1/opscore/agents/other/claim", body: "{}", headers: agent },
    "a claim that asks for too much": {
      method: "POST",
      path: `/v1/opscore/agents/${names.agentId}/claim`,
      body: '{"max":100000}',
      headers: agent,
    },
    "a result of no task": result({ token: "1.aaaaaaaaaaaaaaaaaaaaaa", status: "completed", result: 1 }),
    "a result without a token": result({ status: "completed" }),
  };
}

function oddCases(): Record<string, Asked> {
  const session = `${SESSIONS}/${names.sessionId}`;
  const start = (headers: Record<string, string>, body = '{"workflowId":"none"}'): Asked => {
    return { method: "POST", path: SESSIONS, body, headers };
  };
  return {
    "a slash at the end": { method: "GET", path: `${session}/` },
    "an escape in the path": { method: "GET", path: session.replace("-", "%2d") },
    "a parameter that is unknown": { method: "GET", path: `${session}?colour=red` },
    "a parameter twice": { method: "GET", path: `${session}?wait=0s&wait=0s` },
    "a query where none is taken": { method: "POST", path: `${SESSIONS}?wait=1s`, body: "{}" },
    "a read with a body": { method: "GET", path: session, body: "{}" },
    "another content type": start({ "content-type": "text/plain" }),
    "a charset": start({ "content-type": "application/json; charset=utf-8" }),
    "an encoded body": start({ "content-encoding": "gzip" }),
    "a body above 64 KB": start({}, JSON.stringify({ workflowId: "n".repeat(70_000) })),
    "a list of sessions": { method: "GET", path: SESSIONS },
    "a path that is none": { method: "GET", path: "/v1/opscore/sessionsx" },
    "a method that is none": { method: "POST", path: session, body: "{}" },
  };
}

describe("a plain request for a busy operation goes past the framework and is answered as by it:", () => {
  for (const name of Object.keys(plainCases())) {
    test(name, async () => {
      const asked = plainCases()[name] as Asked;
      await inject(asked);
      const expected = comparable(await inject(asked));
      const before = framework.length;
      assert.deepEqual(comparable(await send(asked)), expected);
      assert.equal(framework.length, before);
    });
  }
});

describe("what is unusual is left to the framework:", () => {
  for (const name of Object.keys(oddCases())) {
    test(name, async () => {
      const asked = oddCases()[name] as Asked;
      const expected = comparable(await inject(asked));
      const before = framework.length;
      assert.deepEqual(comparable(await send(asked)), expected);
      assert.equal(framework.length, before + 1);
    });
  }
});

test("no path of the contract is taken for another by its name alone", () => {
  const paths = [...allOperations, ...Object.values(originalOperations)].map(({ path }) => path);
  assert.ok(paths.includes(`${SESSIONS}/{sessionId}`));
  assert.deepEqual(
    paths.filter((path) => /^\/v1\/opscore\/(sessions\/[\w-]+|(agents|tasks)\/[\w-]+\/(claim|result))$/.test(path)),
    [],
  );
});

test("a request that went past the framework leaves its line in the log, without its query", async () => {
  app.log.length = 0;
  const { headers } = await send({ method: "GET", path: `${NO_SESSION}?wait=0s` });
  const line = app.log.find(({ fields }) => fields.requestId === headers["x-request-id"]);
  assert.deepEqual(
    { ...line?.fields, ms: 0 },
    {
      requestId: headers["x-request-id"],
      method: "GET",
      path: NO_SESSION,
      operation: "sessions.get",
      status: 404,
      ms: 0,
    },
  );
});

test("a full server refuses the plain request as well, and its place is free again after the answer", async () => {
  const full = new TestApp({ OPSPAWN_MAX_IN_FLIGHT: "1" });
  await full.start();
  const { port } = full.app.http.server.address() as AddressInfo;
  const get = async () => {
    const outgoing = request({ port, path: NO_SESSION, headers: { authorization: `Bearer ${OPERATOR}` } }).end();
    const [incoming] = await once(outgoing, "response");
    await incoming.toArray();
    return incoming.statusCode;
  };
  const slow = request({
    port,
    method: "POST",
    path: SESSIONS,
    headers: { authorization: `Bearer ${OPERATOR}`, "content-type": "application/json", "content-length": 2 },
  });
  slow.write("{");
  while (full.app.http.server.listening && (await get()) !== 503);
  slow.end("}");
  const [answer] = await once(slow, "response");
  await answer.toArray();
  assert.equal(answer.statusCode, 422);
  assert.equal(await get(), 404);
  await full.close();
});

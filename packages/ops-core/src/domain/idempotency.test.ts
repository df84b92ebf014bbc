import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type JsonObject, type JsonValue, parseJson } from "@opspawn/contract";
import fc from "fast-check";
import { TestApp } from "../app/test-app.ts";
import type { Context } from "./context.ts";
import { idempotencyOf } from "./idempotency.ts";

function context(idempotencyKey: string | undefined): Context {
  const actor = { kind: "key", id: "key_1", name: "ci", scopes: [], agentId: null, open: [] } as const;
  return { actor, requestId: "r", idempotencyKey, signal: AbortSignal.abort(), replayed: false };
}

function hashOf(body: JsonValue): string | undefined {
  return idempotencyOf(context("k"), "things.make", body)?.bodyHash;
}

test("without a key a request is like no other", () => {
  assert.equal(idempotencyOf(context(undefined), "things.make", {}), undefined);
});

test("a request is known by who made it, what it asks for, its key and its body", () => {
  const known = idempotencyOf(context("k"), "things.make", { a: 1 });
  assert.deepEqual({ ...known, bodyHash: "" }, { actor: "key_1", operation: "things.make", key: "k", bodyHash: "" });
  assert.match(known?.bodyHash ?? "", /^[0-9a-f]{64}$/);
});

test("the order of keys does not make another body", () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, each]) => [key, shuffled(each)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      assert.equal(hashOf(shuffled(value) as JsonValue), hashOf(value as JsonValue));
    }),
    { numRuns: 200 },
  );
});

test("another value is another body, numbers as they were written included", () => {
  const texts = [
    "{}",
    "[]",
    "null",
    '{"a":1}',
    '{"a":1.0}',
    '{"a":"1"}',
    '{"a":[1]}',
    '{"a":null}',
    '{"b":1}',
    "[1,2]",
    "[2,1]",
    "[[1],2]",
  ];
  const hashes = texts.map((text) => hashOf(parseJson(text)));
  assert.equal(new Set(hashes).size, texts.length);
});

/** Sends it, lets the world change so that it would be refused, and sends it again. */
async function repeatsAfter(
  change: () => Promise<TestApp>,
  app: TestApp,
  path: string,
  body: JsonObject,
): Promise<TestApp> {
  const headers = { "idempotency-key": "once" };
  const first = await app.call("POST", path, { body, headers });
  assert.ok(first.status < 300, `${path}: ${JSON.stringify(first.body)}`);
  const changed = await change();
  assert.ok((await changed.call("POST", path, { body })).status >= 400, `${path} would be refused now`);
  const second = await changed.call("POST", path, { body, headers });
  assert.deepEqual([second.status, second.body], [first.status, first.body], path);
  assert.equal(second.headers["idempotent-replayed"], "true");
  assert.equal(second.headers["x-agent-key"], first.headers["x-agent-key"]);
  return changed;
}

test("hole 25: a repetition gets the first answer, also when its agent is gone by now", async () => {
  const app = new TestApp();
  const workflow = { id: "w", name: "W", tasks: [{ taskId: "a", agentCapability: "work" }] };
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition: workflow } });
  const cases: ((id: string) => [string, JsonObject])[] = [
    (id) => ["/v1/opscore/sessions", { workflowId: "w", agentId: id }],
    (id) => ["/v1/opscore/tasks", { name: "alone", agentId: id }],
    (id) => [`/v1/opscore/agent/${id}/workflow`, { workflowDefinitionId: "w" }],
    (id) => [`/v1/agents/${id}/run`, { senderId: "me", messageType: "ping", payload: {} }],
  ];
  for (const [i, of] of cases.entries()) {
    const contactEndpoint = "http://127.0.0.1:9/";
    const { agent } = await app.ok("POST", "/v1/opscore/agents", { body: { agentName: `a${i}`, contactEndpoint } });
    const { agentId } = agent as { agentId: string };
    const remove = async () => {
      await app.ok("DELETE", `/v1/agents/${agentId}`);
      return app;
    };
    await repeatsAfter(remove, app, ...of(agentId));
  }
  await app.close();
});

test("hole 25: a repetition gets the first answer, also when its workflow would refuse the input by now", async () => {
  const app = new TestApp();
  const tasks = [{ taskId: "a", agentCapability: "work" }];
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition: { id: "w", version: "1", tasks } } });
  const tighten = async () => {
    const input = { schema: { type: "object", required: ["name"] } };
    app.time.advance(1);
    await app.ok("POST", "/v1/opscore/workflows", { body: { definition: { id: "w", version: "2", tasks, input } } });
    return app;
  };
  await repeatsAfter(tighten, app, "/v1/opscore/sessions", { workflowId: "w", input: {} });
  const body = { workflowId: "w", input: { other: 1 } };
  const reused = await app.call("POST", "/v1/opscore/sessions", { body, headers: { "idempotency-key": "once" } });
  assert.equal(reused.body.code, "idempotency_key_reused", "the key is judged before the input");
  await app.close();
});

test("hole 25: a repetition gets the first answer, also when its address is not allowed any more", async () => {
  const bodies: [string, JsonObject][] = [
    ["/v1/opscore/agents", { agentName: "inside", contactEndpoint: "http://10.1.2.3/" }],
    ["/v1/agents/register", { agentName: "inside too", version: "1", contactEndpoint: "http://10.1.2.3/" }],
    ["/v1/tools", { name: "inside", endpoint: "http://10.1.2.3/" }],
  ];
  for (const [path, body] of bodies) {
    const data = mkdtempSync(join(tmpdir(), "opspawn-idempotency-"));
    const app = new TestApp({ OPSPAWN_OUTBOUND_ALLOW: "10.0.0.0/8" }, { data });
    const restart = async () => {
      await app.close();
      return new TestApp({}, { data, time: app.time });
    };
    await (await repeatsAfter(restart, app, path, body)).close();
    rmSync(data, { recursive: true });
  }
});

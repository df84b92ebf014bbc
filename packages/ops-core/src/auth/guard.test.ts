import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allOperations, type JsonObject, type Operation, type Scope } from "@opspawn/contract";
import { TestApp } from "../app/test-app.ts";
import { SCOPES } from "../domain/auth/scopes.ts";
import type { Handlers } from "../domain/operations.ts";
import { BODY_EXAMPLES } from "../http/openapi-examples.ts";
import { checkDeclaration, guardOperations } from "./guard.ts";

const READ_ONLY = SCOPES.filter((scope) => scope.endsWith(":read"));

let app: TestApp;
/** Keys of callers, made once. */
const keys = { expired: "", revoked: "", readOnly: "", none: null as string | null };

before(async () => {
  app = new TestApp();
  keys.expired = await makeKey({ name: "expired", scopes: ["admin"], expiresIn: "1s" });
  app.time.advance(1_500);
  const revoked = await app.ok("POST", "/v1/opscore/keys", { body: { name: "revoked", scopes: ["admin"] } });
  keys.revoked = revoked.secret as string;
  await app.ok("DELETE", `/v1/opscore/keys/${(revoked.key as JsonObject).keyId}`);
  keys.readOnly = await makeKey({ name: "read-only", scopes: READ_ONLY });
});
after(() => app.close());

async function makeKey(body: JsonObject): Promise<string> {
  return (await app.ok("POST", "/v1/opscore/keys", { body })).secret as string;
}

/** Calls an operation with good input about things that do not exist, but for the agent it names. */
async function call(
  operation: Operation,
  key: string | null,
  agentId: string,
): Promise<{ status: number; code: unknown }> {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => (name === "agentId" ? agentId : "none"));
  const example = BODY_EXAMPLES[operation.id];
  // Nobody moves the time here.
  const body = operation.id === "agents.claim" ? { wait: "0s" } : example;
  const answer = await app.call(operation.method, path, { key, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, code: answer.body.code };
}

/** What the declaration says of a caller, computed apart from the code under test. */
function expected(operation: Operation, caller: string): 200 | 401 | 403 {
  const { scope, agent, anonymous } = operation.permission;
  const agentScopes: readonly Scope[] = [
    "agents:read",
    "agents:write",
    "agents:report",
    "tasks:result",
    "tools:read",
    "tools:invoke",
    "messages:send",
  ];
  switch (caller) {
    case "none":
      return anonymous === "loopback" ? 200 : 401;
    case "expired":
    case "revoked":
    case "nonsense":
      return 401;
    case "read-only":
      return scope.endsWith(":read") ? 200 : 403;
    case "another agent":
      return agent === "any" && agentScopes.includes(scope) ? 200 : 403;
    case "the agent itself":
      // The task of these calls is nobody's.
      return agent !== undefined && agentScopes.includes(scope) && operation.permission.token !== true ? 200 : 403;
    default:
      return 200;
  }
}

for (const operation of allOperations) {
  test(`${operation.id} is for those its declaration names`, async () => {
    const suffix = operation.id;
    const own = await app.pullAgent(`own ${suffix}`);
    const other = await app.pullAgent(`other ${suffix}`);
    // Who makes keys can give no more than it has.
    const given = operation.id === "keys.create" ? READ_ONLY : [];
    const right = await makeKey({ name: `right ${suffix}`, scopes: [operation.permission.scope, ...given] });
    // Whoever may remove the agent does so last.
    const callers: [string, string | null][] = [
      ["none", null],
      ["nonsense", "opk_nonsense"],
      ["expired", keys.expired],
      ["revoked", keys.revoked],
      ["read-only", keys.readOnly],
      ["another agent", other.key],
      ["the agent itself", own.key],
      ["the right key", right],
    ];
    for (const [caller, key] of callers) {
      const { status, code } = await call(operation, key, own.id);
      const wanted = expected(operation, caller);
      if (wanted === 200)
        assert.ok(![401, 403].includes(status) || isOwnName(operation, caller), `${caller}: ${status} ${code}`);
      else assert.equal(status, wanted, `${caller}: ${status} ${code}`);
    }
  });
}

/** An agent's own key may register again, but under its own name only, which the example's is not. */
function isOwnName(operation: Operation, caller: string): boolean {
  return operation.id === "agents.register" && caller.includes("agent");
}

test("a key given to an agent may be narrower than an agent's own", async () => {
  const agent = await app.pullAgent("narrow");
  const narrow = await makeKey({ name: "narrow", scopes: ["agents:read"], agentId: agent.id });
  assert.equal((await app.call("GET", `/v1/opscore/agents/${agent.id}/states`, { key: narrow })).status, 200);
  assert.equal((await app.call("DELETE", `/v1/opscore/agents/${agent.id}`, { key: narrow })).status, 403);
});

test("a token of the task is a credential; one that never was asks for a key, the agent's own or an operator's", async () => {
  const agent = await app.pullAgent("token", ["token.work"]);
  const stranger = await app.pullAgent("stranger");
  const workflow = { id: "token", tasks: [{ taskId: "a", agentCapability: "token.work" }] };
  await app.ok("POST", "/v1/opscore/sessions", { body: { workflow } });
  const [assignment] = await app.claim(agent);
  assert.ok(assignment);
  const { taskId } = assignment.opspawn as JsonObject;
  const attempt = (key: string | null | undefined, path = `/v1/opscore/tasks/${taskId}/result`) =>
    app.call("POST", path, {
      body: { token: "1.guessed", status: "completed" },
      ...(key === undefined ? {} : { key }),
    });
  assert.equal((await attempt(null)).status, 401);
  assert.equal((await attempt(stranger.key)).status, 403);
  assert.equal((await attempt(agent.key)).body.code, "lease_lost");
  assert.equal((await attempt(undefined)).body.code, "lease_lost");
  assert.equal((await attempt(null, "/v1/opscore/tasks/none/result")).status, 401);
  assert.equal((await attempt(undefined, "/v1/opscore/tasks/none/result")).body.code, "task_not_found");
  assert.equal((await app.settle(assignment, { status: "completed", result: 1 })).status, 200);
});

test("an operation without a sound permission stops the start", () => {
  const path = "/v1/things/{thingId}";
  const params = allOperations.find(({ id }) => id === "sessions.get")?.params;
  const declared = {
    id: "things.get",
    path: "/v1/things/{sessionId}",
    params,
    permission: { scope: "sessions:read" },
  } as const;
  checkDeclaration(declared);
  assert.throws(() => checkDeclaration({ ...declared, permission: undefined as never }), /declares no permission/);
  assert.throws(
    () => checkDeclaration({ ...declared, permission: { scope: "things:read" as never } }),
    /no permission/,
  );
  assert.throws(() => checkDeclaration({ ...declared, path }), /the path/);
  assert.throws(
    () => checkDeclaration({ ...declared, permission: { scope: "sessions:read", agent: "self" } }),
    /its path names none/,
  );
});

test("an operation without a handler stops the start", () => {
  const agentOfTask = async () => null;
  assert.throws(() => guardOperations({} as Handlers, { agentOfTask }), /has no handler/);
});

test("whatever watches the operations sees every call, its answer and its failure", async () => {
  const seen: string[] = [];
  const handler = async () => ({ items: [], nextCursor: null });
  const every = new Proxy({}, { get: () => new Proxy({}, { get: () => handler }) }) as Handlers;
  const guarded = guardOperations(every, {
    agentOfTask: async () => null,
    around: async (operation, _context, run) => {
      seen.push(operation.id);
      return run();
    },
  });
  const actor = { kind: "key", id: "k", name: "k", scopes: ["admin"], agentId: null, open: [] } as const;
  const context = { actor, requestId: "r", idempotencyKey: undefined, signal: AbortSignal.abort(), replayed: false };
  const query = { limit: 50 };
  await guarded.tools.list(context, { params: {}, query, body: undefined });
  await assert.rejects(
    guarded.keys.list({ ...context, actor: { ...actor, scopes: [] } }, { params: {}, query, body: undefined }),
    { code: "forbidden" },
  );
  assert.deepEqual(seen, ["tools.list", "keys.list"]);
});

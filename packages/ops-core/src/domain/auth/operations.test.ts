import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";

const KEYS = "/v1/opscore/keys";

let app: TestApp;
beforeEach(() => {
  app = new TestApp();
});
afterEach(() => app.close());

const create = (body: JsonObject, key?: string) =>
  app.call("POST", KEYS, { body, ...(key === undefined ? {} : { key }) });

test("a key works as soon as it is made, and its secret is shown once", async () => {
  const { status, body } = await create({ name: "dashboard", scopes: ["tasks:read", "tasks:read"], expiresIn: "30d" });
  assert.equal(status, 201);
  const key = body.key as JsonObject;
  assert.deepEqual(key.scopes, ["tasks:read"]);
  assert.equal(key.expiresAt, "2023-12-14T22:13:20.000000Z");
  assert.equal((await app.call("GET", "/v1/opscore/tasks", { key: body.secret as string })).status, 200);
  const { items } = await app.ok("GET", KEYS);
  assert.deepEqual(items, [key]);
  assert.ok(!JSON.stringify(items).includes((body.secret as string).slice(-20)));
});

test("a revoked key is refused at once, and revoking it again changes nothing", async () => {
  const { body } = await create({ name: "short", scopes: ["tasks:read"] });
  const { keyId } = body.key as JsonObject;
  const read = () => app.call("GET", "/v1/opscore/tasks", { key: body.secret as string });
  assert.equal((await read()).status, 200);
  const revoked = await app.ok("DELETE", `${KEYS}/${keyId}`);
  assert.notEqual(revoked.revokedAt, null);
  assert.equal((await read()).status, 401);
  app.time.advance(1_000);
  assert.equal((await app.ok("DELETE", `${KEYS}/${keyId}`)).revokedAt, revoked.revokedAt);
  assert.equal((await app.call("DELETE", `${KEYS}/nothing`)).body.code, "key_not_found");
});

test("a key gives no more than its maker has", async () => {
  const { body } = await create({ name: "maker", scopes: ["keys:write", "tasks:read"] });
  const maker = body.secret as string;
  assert.equal((await create({ name: "less", scopes: ["tasks:read"] }, maker)).status, 201);
  assert.equal((await create({ name: "more", scopes: ["tasks:write"] }, maker)).body.code, "forbidden");
  assert.equal((await create({ name: "all", scopes: ["admin"] }, maker)).body.code, "forbidden");
});

test("scopes are known words, and an agent's key has those of an agent", async () => {
  const agent = await app.pullAgent("owner");
  const refused = async (body: JsonObject, msg: RegExp) => {
    const answer = await create({ name: "bad", ...body });
    const [issue] = answer.body.detail as JsonObject[];
    assert.deepEqual(issue?.loc, ["body", "scopes", 0]);
    assert.match(issue?.msg as string, msg);
  };
  await refused({ scopes: ["task:read"] }, /the scopes are admin, agents:read/);
  await refused({ scopes: ["admin"], agentId: agent.id }, /not for an agent's key/);
  await refused({ scopes: ["sessions:read"], agentId: agent.id }, /not for an agent's key/);
  assert.equal((await create({ name: "x", scopes: [] })).status, 422);
  const nobody = await create({ name: "x", scopes: ["agents:read"], agentId: "nobody" });
  assert.equal(nobody.body.code, "agent_not_found");
});

test("a lifetime is a duration", async () => {
  for (const expiresIn of ["soon", "3651d", "30"]) {
    assert.equal((await create({ name: "x", scopes: ["tasks:read"], expiresIn })).status, 422, expiresIn);
  }
});

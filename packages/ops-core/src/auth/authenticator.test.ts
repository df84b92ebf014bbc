import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiKey } from "../domain/auth/key.ts";
import type { Actor } from "../domain/context.ts";
import { Authenticator, type AuthenticatorOptions } from "./authenticator.ts";
import { Mint } from "./mint.ts";

const SECOND = 1_000_000;

/** An authenticator over one key, whose time and store are in the test's hand. */
function setUp(options: Partial<AuthenticatorOptions> = {}) {
  const state = { now: 1_700_000_000 * SECOND, reads: 0, used: [] as string[], failing: false };
  let uuids = 0;
  const ids = {
    uuid: () => `01890a5d-ac96-774b-bcce-${String(++uuids).padStart(12, "0")}`,
    secret: () => "0123456789abcdefABCDEF",
    random: () => 0,
  };
  const minted = new Mint({ ids, root: "root", forget: () => undefined }).mint();
  const stored = new Map<string, ApiKey>();
  const put = (changes: Partial<ApiKey> = {}): void => {
    const key = {
      name: "k",
      scopes: ["tasks:read"],
      agentId: null,
      registered: false,
      createdAt: 0,
      expiresAt: null,
      revokedAt: null,
    } as const;
    stored.set(minted.id, { ...key, id: minted.id, hash: minted.hash, ...changes });
  };
  put();
  const authenticator = new Authenticator({
    keys: {
      get: async (id) => {
        state.reads += 1;
        return stored.get(id) ?? null;
      },
      used: async (key) => {
        state.used.push(key.id);
        if (state.failing) throw new Error("disk full");
      },
    },
    clock: { now: () => state.now },
    operatorKey: null,
    open: ["agentkit", "tasks"],
    loopback: true,
    ...options,
  });
  const connection = {};
  const ask = async (authorization?: string, on: object = connection): Promise<Actor> =>
    authenticator.authenticate({ authorization }, on);
  const refused = (authorization: string) =>
    assert.rejects(ask(authorization), { code: "unauthenticated", message: "Invalid authentication credentials" });
  return { authenticator, state, minted, put, stored, ask, refused };
}

test("a key says who asks, and a verified one is not looked up again for a while", async () => {
  const { ask, minted, state } = setUp();
  const actor = await ask(`Bearer ${minted.text}`);
  assert.deepEqual(actor, { kind: "key", id: minted.id, name: "k", scopes: ["tasks:read"], agentId: null, open: [] });
  for (let i = 0; i < 100; i += 1) await ask(`Bearer ${minted.text}`, i % 2 === 0 ? undefined : {});
  assert.equal(state.reads, 1);
});

test("what a connection said before proves nothing for another key, nor for another connection", async () => {
  const { ask, refused, minted } = setUp({ operatorKey: "test-api-key" });
  await ask(`Bearer ${minted.text}`);
  await ask(`Bearer ${minted.text}`);
  assert.equal((await ask("Bearer test-api-key")).id, "operator");
  await refused(`Bearer ${minted.text}x`);
  assert.equal((await ask(`Bearer ${minted.text}`)).id, minted.id);
  assert.equal((await ask(undefined)).id, "anonymous");
  assert.equal((await ask(undefined, {})).id, "anonymous");
});

test("a key that another process revoked is refused within 5 s", async () => {
  const { ask, refused, minted, put, state } = setUp();
  await ask(`Bearer ${minted.text}`);
  put({ revokedAt: state.now });
  state.now += 5 * SECOND;
  await refused(`Bearer ${minted.text}`);
});

test("a key that this process revoked is refused at once", async () => {
  const { authenticator, ask, refused, minted, put, state } = setUp();
  await ask(`Bearer ${minted.text}`);
  put({ revokedAt: state.now });
  authenticator.forget();
  await refused(`Bearer ${minted.text}`);
});

test("an answer of the store from before a revocation is not believed after it", async () => {
  const { authenticator, ask, refused, minted, put, state } = setUp();
  const early = ask(`Bearer ${minted.text}`);
  put({ revokedAt: state.now });
  authenticator.forget();
  await early;
  await refused(`Bearer ${minted.text}`);
});

test("a key ends when it expires, even while it is believed", async () => {
  const { ask, refused, minted, put, state } = setUp();
  put({ expiresAt: state.now + 2 * SECOND });
  await ask(`Bearer ${minted.text}`);
  state.now += 2 * SECOND;
  await refused(`Bearer ${minted.text}`);
});

test("that a key is in use is told with each look, and a failure to write it is no reason to refuse", async () => {
  const { ask, minted, state } = setUp();
  await ask(`Bearer ${minted.text}`);
  await ask(`Bearer ${minted.text}`);
  assert.deepEqual(state.used, [minted.id]);
  state.failing = true;
  state.now += 5 * SECOND;
  assert.equal((await ask(`Bearer ${minted.text}`)).id, minted.id);
  assert.equal(state.used.length, 2);
});

test("the secret is part of the key: an id alone, or with another secret, proves nothing", async () => {
  const { refused, minted, put } = setUp();
  const other = minted.text.slice(0, -1) + (minted.text.endsWith("A") ? "B" : "A");
  await refused(`Bearer ${other}`);
  await refused(`Bearer ${minted.text.slice(0, 40)}`);
  put({ hash: "" });
  await refused(`Bearer ${minted.text}`);
});

test("the scheme is read in any case, and nothing of the key is trimmed", async () => {
  const { ask, refused, minted } = setUp();
  assert.equal((await ask(`bEaReR ${minted.text}`)).id, minted.id);
  await refused(`Bearer  ${minted.text}`);
  await refused(`Bearer ${minted.text} `);
  await refused(`Basic ${minted.text}`);
  await refused(minted.text);
  await refused("Bearer");
  await refused("");
});

test("the configured key may be any text and covers everything", async () => {
  const { ask, refused, state } = setUp({ operatorKey: "test-api-key" });
  assert.deepEqual((await ask("Bearer test-api-key")).scopes, ["admin"]);
  assert.equal((await ask("Bearer test-api-key")).id, "operator");
  assert.equal(state.reads, 0);
  await refused("Bearer test-api-ke");
  await refused("Bearer test-api-keyx");
});

test("without a key a caller is anonymous, and may do what is open on this bind", async () => {
  const { ask } = setUp({ open: ["tasks"] });
  assert.deepEqual(await ask(), {
    kind: "anonymous",
    id: "anonymous",
    name: "anonymous",
    scopes: [],
    agentId: null,
    open: ["tasks"],
  });
});

test("a web page cannot act for the person whose browser it is in", async () => {
  const { authenticator } = setUp();
  const openTo = async (parts: { origin?: string; host?: string }) =>
    (await authenticator.authenticate(parts, {})).open;
  assert.deepEqual(await openTo({ host: "localhost:8000" }), ["agentkit", "tasks"]);
  assert.deepEqual(await openTo({ host: "127.0.0.1:8000", origin: "http://127.0.0.1:8000" }), ["agentkit", "tasks"]);
  assert.deepEqual(await openTo({ host: "[::1]:8000" }), ["agentkit", "tasks"]);
  assert.deepEqual(await openTo({ host: "[::1]" }), ["agentkit", "tasks"]);
  assert.deepEqual(await openTo({ host: "127.0.0.1:8000", origin: "https://evil.example" }), []);
  assert.deepEqual(await openTo({ host: "127.0.0.1:8000", origin: "null" }), []);
  assert.deepEqual(await openTo({ origin: "http://127.0.0.1:8000" }), []);
  // A name of the page's own that was made to resolve to this machine.
  assert.deepEqual(await openTo({ host: "evil.example:8000", origin: "http://evil.example:8000" }), []);
  assert.deepEqual(await openTo({ host: "evil.example" }), []);
});

test("on other binds any host name may be ours, but a foreign origin is still refused", async () => {
  const { authenticator } = setUp({ loopback: false });
  assert.deepEqual((await authenticator.authenticate({ host: "ops.example" }, {})).open, ["agentkit", "tasks"]);
  assert.deepEqual(
    (await authenticator.authenticate({ host: "ops.example", origin: "https://evil.example" }, {})).open,
    [],
  );
});

test("what is believed is bounded", async () => {
  const { ask, stored, put, minted, state } = setUp();
  put();
  const key = stored.get(minted.id);
  assert.ok(key);
  const uuidOf = (n: number) => `01890a5d-ac96-774b-bcce-${String(n).padStart(12, "0")}`;
  const secret = minted.text.slice(-44);
  for (let n = 10; n < 10_011; n += 1) {
    stored.set(`key_${uuidOf(n)}`, { ...key, id: `key_${uuidOf(n)}` });
    await ask(`Bearer opk_${uuidOf(n)}_${secret}`);
  }
  const before = state.reads;
  await ask(`Bearer opk_${uuidOf(10)}_${secret}`);
  assert.equal(state.reads, before + 1);
});

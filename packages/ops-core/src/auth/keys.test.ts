import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ApiKey } from "../domain/auth/key.ts";
import type { KeyStore } from "../domain/store.ts";
import { systemClock } from "../system/clock.ts";
import { SystemIds } from "../system/ids.ts";
import { ensureAdminKey, rootSecret } from "./admin-key.ts";
import { readKeyText, secretHash, writeKeyText } from "./key-text.ts";
import { Mint } from "./mint.ts";

const ids = new SystemIds(systemClock);
const mintOf = (root: string) => new Mint({ ids, root, forget: () => undefined });

/** Keys in memory, two to a page. */
function keyStore(): KeyStore & { readonly all: Map<string, ApiKey> } {
  const all = new Map<string, ApiKey>();
  return {
    all,
    create: async (key) => void all.set(key.id, key),
    used: async () => undefined,
    revoke: async () => null,
    get: async (id) => all.get(id) ?? null,
    list: async ({ cursor }) => {
      const start = Number(cursor ?? 0);
      const items = [...all.values()].slice(start, start + 2);
      return { items, nextCursor: start + 2 < all.size ? String(start + 2) : null };
    },
  };
}

function inFolder(use: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "opspawn-keys-"));
    try {
      await use(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

test("a key's text holds an id to look up and a secret of at least 192 bits; only a hash is stored", () => {
  const minted = mintOf("root").mint();
  const read = readKeyText(minted.text);
  assert.ok(read);
  assert.equal(read.id, minted.id);
  assert.ok(Buffer.from(read.secret, "base64url").length >= 24);
  assert.equal(secretHash(read.secret), minted.hash);
  assert.ok(!minted.text.includes(minted.hash));
});

test("texts that are no keys are told apart before anything is looked up", () => {
  const { text } = mintOf("root").mint();
  for (const bad of [
    "",
    "opk_",
    text.slice(4),
    `${text}!`,
    text.toUpperCase(),
    `x${text}`,
    `${text}${"a".repeat(200)}`,
  ]) {
    assert.equal(readKeyText(bad), null, bad);
  }
  assert.throws(() => writeKeyText("01890a5d-ac96-774b-bcce-b302099a8057", "short"));
});

test("a derived key is the same for the same material and root, and another for any other", () => {
  const one = mintOf("root").derive("request 1");
  assert.deepEqual(mintOf("root").derive("request 1"), one);
  assert.notEqual(mintOf("root").derive("request 2").text, one.text);
  assert.notEqual(mintOf("another root").derive("request 1").text, one.text);
  assert.equal(readKeyText(one.text)?.id, one.id);
});

test(
  "the root secret outlives the process, and only its owner can read it",
  inFolder(async (folder) => {
    const secret = rootSecret(join(folder, "data"), ids);
    assert.equal(rootSecret(join(folder, "data"), ids), secret);
    assert.equal(statSync(join(folder, "data", "root.secret")).mode & 0o777, 0o600);
    assert.notEqual(rootSecret(null, ids), rootSecret(null, ids));
  }),
);

test(
  "the first start makes an admin key and keeps it for its owner; the next starts make none",
  inFolder(async (folder) => {
    const keys = keyStore();
    const options = { keys, mint: mintOf("root"), clock: systemClock, folder };
    const text = await ensureAdminKey(options);
    assert.ok(text);
    assert.equal(readFileSync(join(folder, "admin.key"), "utf8"), `${text}\n`);
    assert.equal(statSync(join(folder, "admin.key")).mode & 0o777, 0o600);
    assert.equal(await ensureAdminKey(options), null);
    // Whoever has noted the key may remove the file.
    rmSync(join(folder, "admin.key"));
    assert.equal(await ensureAdminKey(options), null);
    assert.equal(keys.all.size, 1);
  }),
);

test(
  "an admin key that ended is replaced, so that nobody is locked out",
  inFolder(async (folder) => {
    const keys = keyStore();
    const options = { keys, mint: mintOf("root"), clock: systemClock, folder };
    const first = await ensureAdminKey(options);
    const [key] = keys.all.values();
    assert.ok(key);
    keys.all.set(key.id, { ...key, revokedAt: 1 });
    for (let n = 0; n < 3; n += 1) keys.all.set(`key_${n}`, { ...key, id: `key_${n}`, scopes: ["tasks:read"] });
    const second = await ensureAdminKey(options);
    assert.ok(second);
    assert.notEqual(second, first);
  }),
);

test(
  "a key file that outlived its database is put to use again",
  inFolder(async (folder) => {
    const mint = mintOf("root");
    const text = await ensureAdminKey({ keys: keyStore(), mint, clock: systemClock, folder });
    const fresh = keyStore();
    assert.equal(await ensureAdminKey({ keys: fresh, mint, clock: systemClock, folder }), null);
    assert.deepEqual([...fresh.all.keys()], [readKeyText(text ?? "")?.id]);
  }),
);

test(
  "a key file that holds no key is replaced",
  inFolder(async (folder) => {
    writeFileSync(join(folder, "admin.key"), "nonsense\n");
    const text = await ensureAdminKey({ keys: keyStore(), mint: mintOf("root"), clock: systemClock, folder });
    assert.equal(readFileSync(join(folder, "admin.key"), "utf8"), `${text}\n`);
  }),
);

test(
  "a folder that cannot be read is an error, not a reason to make new keys",
  inFolder(async (folder) => {
    writeFileSync(join(folder, "data"), "a file where the folder should be");
    await assert.rejects(async () => rootSecret(join(folder, "data"), ids));
  }),
);

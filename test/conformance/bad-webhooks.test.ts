// Webhooks that were forged, changed or repeated: refused by name, and nothing of them stored.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Original } from "./original.ts";
import { assertRefused, storedIn } from "./refusal.ts";
import { closeConnections } from "./wire.ts";

const NOTIFY = "/v1/opscore/internal/agent/notify";
const SECRET = "s3cret";

const data = mkdtempSync(join(tmpdir(), "opspawn-bad-webhooks-"));
let app: Original;
before(() => start());
after(async () => {
  await app.close();
  closeConnections();
  rmSync(data, { recursive: true });
});

async function start(): Promise<void> {
  const env = { OPSCORE_WEBHOOK_SECRET: SECRET };
  app = new Original(env, app === undefined ? { data } : { data, time: app.app.time });
  await app.start();
}

const agent = { agentId: "w1", agentName: "w1", version: "1", contactEndpoint: "http://127.0.0.1:9/" };
const body = JSON.stringify({ event_type: "REGISTER", agent_details: agent });
const now = () => Math.floor(app.app.time.now() / 1000);

type Headers = Record<string, string>;

function agentKit(text: string, at = now(), secret = SECRET): Headers {
  const signature = createHmac("sha256", secret).update(`${at}.${text}`).digest("hex");
  return { "x-agentkit-timestamp": String(at), "x-agentkit-signature": signature };
}

function standard(text: string, id: string, at = now(), secret = SECRET): Headers {
  const signature = createHmac("sha256", secret).update(`${id}.${at}.${text}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(at), "webhook-signature": `v1,${signature}` };
}

function without(headers: Headers, name: string): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}

/** Everything stored stays as it was. The server is closed meanwhile: one process owns the data. */
async function unchanged(during: () => Promise<void>): Promise<void> {
  await app.close();
  const stored = storedIn(data);
  await start();
  await during();
  await app.close();
  assert.deepEqual(storedIn(data), stored);
  await start();
}

test("a message that is not signed, or not with our secret, or not as it is, is refused", () =>
  unchanged(async () => {
    const good = { ...agentKit(body), ...standard(body, "msg_1") };
    const forged: readonly Headers[] = [
      {},
      agentKit(body, now(), "guess"),
      agentKit(`${body} `),
      agentKit(body, now() - 301),
      agentKit(body, now() + 301),
      agentKit(body, 1),
      standard(body, "msg_1", now(), "guess"),
      standard(`${body} `, "msg_1"),
      standard(body, "msg_1", now() - 301),
      { ...standard(body, "msg_1"), "webhook-id": "msg_2" },
      { ...standard(body, "msg_1"), "webhook-timestamp": String(now() + 1) },
      // One good scheme does not make up for a bad one.
      { ...good, "x-agentkit-signature": "0".repeat(64) },
      { ...good, "webhook-signature": "v1,AAAA" },
      ...Object.keys(good).map((name) => without(good, name)),
      { ...agentKit(body), "x-agentkit-timestamp": "now" },
      { ...agentKit(body), "x-agentkit-timestamp": "1e9" },
      { ...agentKit(body), "x-agentkit-signature": "" },
      { ...agentKit(body), "x-agentkit-signature": "\u00e4".repeat(64) },
    ];
    for (const headers of forged) {
      const answer = await app.raw(NOTIFY, body, headers);
      assertRefused(answer, true, ["signature_invalid"]);
      assert.equal(answer.status, 401, JSON.stringify(headers));
    }
    const secretless = { authorization: "Bearer operator-key-of-the-tests" };
    assertRefused(await app.raw(NOTIFY, body, secretless), true, ["signature_invalid"]);
  }));

test("what is signed is still judged: size, syntax and form", () =>
  unchanged(async () => {
    const large = JSON.stringify({ pad: "x".repeat(5_000_000) });
    assertRefused(await app.raw(NOTIFY, large, agentKit(large)), true, ["body_too_large"]);
  }));

test("a signed message counts once, whatever its headers are cut down to, also after a restart", async () => {
  const both = { ...agentKit(body), ...standard(body, "msg_once") };
  assert.equal((await app.raw(NOTIFY, body, both)).status, 200);
  await unchanged(async () => {
    for (const copy of [both, agentKit(body), standard(body, "msg_once")]) {
      const answer = await app.raw(NOTIFY, body, copy);
      assertRefused(answer, true, ["signature_replayed"]);
      assert.equal(answer.status, 409);
    }
  });
  assert.equal((await app.get("/v1/opscore/agents/w1")).status, 200);
});

test("a second try of the sender, signed anew, is taken", async () => {
  app.app.time.advance(5_000);
  assert.equal((await app.raw(NOTIFY, body, standard(body, "msg_once"))).status, 200);
});

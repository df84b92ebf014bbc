import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, OpspawnError, parseJson, signAgentKit, signStandardWebhook } from "@opspawn/contract";
import fc from "fast-check";
import { SECOND } from "../domain/clock.ts";
import { MemoryReplayLog } from "./memory-replay-log.ts";
import { receiveWebhook, type WebhookRules } from "./verify.ts";

const START = 1_700_000_000 * SECOND;
const BODY = Buffer.from('{"event_type":"REGISTER","name":"Zoë"}');

/** A receiver with one secret and a clock of its own. */
function receiver(...secrets: string[]) {
  const clock = { time: START, now: () => clock.time };
  const rules: WebhookRules = { secrets, clock, replays: new MemoryReplayLog(clock) };
  const receive = (headers: Record<string, string | string[]>, body: Uint8Array = BODY) =>
    receiveWebhook({ headers: lowerCased(headers), body }, rules, parseJson);
  return { clock, rules, receive };
}

function lowerCased(headers: Record<string, string | string[]>): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

const agentKit = (secret = "s", now = START) => signAgentKit({ secret, body: BODY, now });
const standard = (secret = "s", now = START, id = "msg_1") =>
  signStandardWebhook({ secrets: [secret], id, body: BODY, now });

async function refusedAs(code: ErrorCode, receiving: Promise<unknown>): Promise<void> {
  await assert.rejects(receiving, (error: unknown) => error instanceof OpspawnError && error.code === code);
}

test("a message signed by either scheme, or by both, is taken", async () => {
  for (const headers of [agentKit(), standard(), { ...agentKit(), ...standard() }]) {
    const received = await receiver("s").receive(headers);
    assert.deepEqual(received, { isSigned: true, payload: { event_type: "REGISTER", name: "Zoë" } });
  }
});

test("while no secret is set a message is taken unsigned, and says so", async () => {
  assert.equal((await receiver().receive({})).isSigned, false);
});

test("once a secret is set an unsigned message is refused, and so is half a signature", async () => {
  await refusedAs("signature_invalid", receiver("s").receive({}));
  for (const whole of [agentKit(), standard()]) {
    for (const name of Object.keys(whole)) {
      const { [name]: _, ...rest } = whole;
      await refusedAs("signature_invalid", receiver("s").receive(rest));
    }
  }
});

test("no changed byte, other secret or doubled header passes", async () => {
  const { receive } = receiver("s");
  await refusedAs("signature_invalid", receive(agentKit("other")));
  await refusedAs("signature_invalid", receive(standard("other")));
  await fc.assert(
    fc.asyncProperty(fc.nat(BODY.length - 1), fc.integer({ min: 1, max: 255 }), async (index, change) => {
      const body = Buffer.from(BODY);
      body.writeUInt8(body.readUInt8(index) ^ change, index);
      await refusedAs("signature_invalid", receive(agentKit(), body));
      await refusedAs("signature_invalid", receive(standard(), body));
    }),
    { numRuns: 30 },
  );
  const doubled = { ...agentKit(), "X-AgentKit-Signature": [agentKit()["X-AgentKit-Signature"] ?? "", "0".repeat(64)] };
  await refusedAs("signature_invalid", receive(doubled));
});

test("one good scheme does not make up for a bad one", async () => {
  const { receive } = receiver("s");
  await refusedAs("signature_invalid", receive({ ...agentKit(), ...standard("forged") }));
  await refusedAs("signature_invalid", receive({ ...agentKit("forged"), ...standard() }));
});

test("during a rotation messages under both secrets are taken", async () => {
  const { receive } = receiver("new", "old");
  await receive(agentKit("old"));
  await receive(standard("new"));
});

test("a copy is refused for as long as its signature would be good", async () => {
  for (const headers of [agentKit("s", START + 300 * SECOND), standard("s", START + 300 * SECOND)]) {
    const { clock, receive } = receiver("s");
    await receive(headers);
    for (const seconds of [0, 1, 299, 300, 599, 600]) {
      clock.time = START + seconds * SECOND;
      await refusedAs("signature_replayed", receive(headers));
    }
    clock.time += SECOND;
    await refusedAs("signature_invalid", receive(headers));
  }
});

test("a copy that shows only one of two schemes is a copy", async () => {
  const { receive } = receiver("s");
  await receive({ ...agentKit(), ...standard() });
  await refusedAs("signature_replayed", receive(agentKit()));
  await refusedAs("signature_replayed", receive(standard()));
});

test("a second try of the sender, signed anew, is no copy", async () => {
  const { clock, receive } = receiver("s");
  await receive(standard());
  clock.time += 5 * SECOND;
  await receive(standard("s", clock.time));
  await receive(agentKit("s", clock.time));
});

test("of many copies at once one is taken", async () => {
  const { receive } = receiver("s");
  const headers = { ...agentKit(), ...standard() };
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => receive(headers)));
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
});

test("what is too long is refused before its signature is looked at, and bad JSON only after", async () => {
  const { rules, receive } = receiver("s");
  const parse = () => assert.fail("parsed");
  const long = { headers: {}, body: BODY };
  await refusedAs("body_too_large", receiveWebhook(long, { ...rules, maxBytes: BODY.length - 1 }, parse));
  await refusedAs("signature_invalid", receiveWebhook(long, { ...rules, maxBytes: BODY.length }, parse));
  const text = Buffer.from("{not json");
  await refusedAs("signature_invalid", receive(agentKit(), text));
  await refusedAs("json_invalid", receive(signAgentKit({ secret: "s", body: text, now: START }), text));
});

test("a replay log that is kept elsewhere is waited for", async () => {
  const { rules } = receiver("s");
  const asked: [string, number][] = [];
  const replays = {
    remember: (id: string, until: number) => Promise.resolve(asked.push([id, until]) === 1),
  };
  const message = { headers: lowerCased(standard()), body: BODY };
  await receiveWebhook(message, { ...rules, replays }, parseJson);
  await refusedAs("signature_replayed", receiveWebhook(message, { ...rules, replays }, parseJson));
  assert.deepEqual(asked[0], ["standard.msg_1.1700000000", START + 600 * SECOND]);
});

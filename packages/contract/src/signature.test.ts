import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { OpspawnError } from "./errors.ts";
import {
  checkWebhookSecret,
  SIGNATURE_TOLERANCE,
  type SignatureVerdict,
  signAgentKit,
  signStandardWebhook,
  verifyAgentKit,
  verifyStandardWebhook,
} from "./signature.ts";

const SECOND = 1_000_000;
const NOW = 1_700_000_000 * SECOND;
const BODY = '{"event_type":"REGISTER"}';

function checkAgentKit(headers: Record<string, string>, rest: { secrets: string[]; body: string; now?: number }) {
  return verifyAgentKit({
    secrets: rest.secrets,
    body: rest.body,
    now: rest.now ?? NOW,
    timestamp: headers["X-AgentKit-Timestamp"],
    signature: headers["X-AgentKit-Signature"],
  });
}

function checkStandard(headers: Record<string, string>, rest: { secrets: string[]; body: string; now?: number }) {
  return verifyStandardWebhook({
    secrets: rest.secrets,
    body: rest.body,
    now: rest.now ?? NOW,
    id: headers["webhook-id"],
    timestamp: headers["webhook-timestamp"],
    signature: headers["webhook-signature"],
  });
}

function problemOf(verdict: SignatureVerdict): string {
  return verdict.ok ? "none" : verdict.problem;
}

test("the AgentKit signature equals the original's vector", () => {
  assert.deepEqual(signAgentKit({ secret: "s3cret", body: BODY, now: NOW + 999_999 }), {
    "X-AgentKit-Timestamp": "1700000000",
    "X-AgentKit-Signature": "f3cba9a685c94f170298535b62c65cdf04f732e908057cf03513978229cdbce8",
  });
});

test("a Standard Webhooks signature is base64 over id, timestamp and body, keyed with the decoded secret", () => {
  const key = Buffer.from("0123456789abcdef0123456789abcdef");
  const expected = createHmac("sha256", key).update(`msg_1.1700000000.${BODY}`).digest("base64");
  const secrets = [`whsec_${key.toString("base64")}`];
  assert.deepEqual(signStandardWebhook({ secrets, id: "msg_1", body: BODY, now: NOW }), {
    "webhook-id": "msg_1",
    "webhook-timestamp": "1700000000",
    "webhook-signature": `v1,${expected}`,
  });
});

test("without a secret a message still says which it is and when it was sent, and claims no signature", () => {
  assert.deepEqual(signStandardWebhook({ secrets: [], id: "msg_1", body: BODY, now: NOW }), {
    "webhook-id": "msg_1",
    "webhook-timestamp": "1700000000",
  });
});

test("what was signed verifies, and no changed byte, id, time or secret does", () => {
  const text = fc.string({ minLength: 1, maxLength: 40, unit: "binary" });
  const flip = (value: string) => `${value.slice(0, -1)}${value.endsWith("x") ? "y" : "x"}`;
  fc.assert(
    fc.property(text, text, fc.stringMatching(/^[\w-]{1,20}$/), (body, key, id) => {
      const secret = `key ${key}`;
      const agentKit = signAgentKit({ secret, body, now: NOW });
      assert.equal(problemOf(checkAgentKit(agentKit, { secrets: [secret], body })), "none");
      assert.equal(problemOf(checkAgentKit(agentKit, { secrets: [secret], body: flip(body) })), "mismatch");
      assert.equal(problemOf(checkAgentKit(agentKit, { secrets: [flip(secret)], body })), "mismatch");
      const later = { ...agentKit, "X-AgentKit-Timestamp": "1700000001" };
      assert.equal(problemOf(checkAgentKit(later, { secrets: [secret], body })), "mismatch");
      const standard = signStandardWebhook({ secrets: [secret], id, body, now: NOW });
      assert.equal(problemOf(checkStandard(standard, { secrets: [secret], body })), "none");
      assert.equal(problemOf(checkStandard(standard, { secrets: [secret], body: flip(body) })), "mismatch");
      const renamed = { ...standard, "webhook-id": flip(id) };
      assert.equal(problemOf(checkStandard(renamed, { secrets: [secret], body })), "mismatch");
    }),
    { numRuns: 60 },
  );
});

test("during a rotation both secrets are signed with and both are accepted", () => {
  const both = signStandardWebhook({ secrets: ["new", "old"], id: "m", body: BODY, now: NOW });
  assert.equal(both["webhook-signature"]?.split(" ").length, 2);
  assert.equal(problemOf(checkStandard(both, { secrets: ["old"], body: BODY })), "none");
  assert.equal(problemOf(checkStandard(both, { secrets: ["new"], body: BODY })), "none");
  const old = signAgentKit({ secret: "old", body: BODY, now: NOW });
  assert.equal(problemOf(checkAgentKit(old, { secrets: ["new", "old"], body: BODY })), "none");
  assert.equal(problemOf(checkAgentKit(old, { secrets: ["new"], body: BODY })), "mismatch");
  assert.equal(problemOf(checkAgentKit(old, { secrets: [], body: BODY })), "mismatch");
});

test("a signature is good for 300 seconds either way and not one more", () => {
  const signed = signAgentKit({ secret: "s", body: BODY, now: NOW });
  const standard = signStandardWebhook({ secrets: ["s"], id: "m", body: BODY, now: NOW });
  for (const side of [-1, 1]) {
    const edge = NOW + side * SIGNATURE_TOLERANCE * SECOND;
    for (const [now, expected] of [
      [edge, "none"],
      [edge + side, "expired"],
    ] as const) {
      assert.equal(problemOf(checkAgentKit(signed, { secrets: ["s"], body: BODY, now })), expected);
      assert.equal(problemOf(checkStandard(standard, { secrets: ["s"], body: BODY, now })), expected);
    }
  }
});

test("each missing header is named as missing", () => {
  const agentKit = signAgentKit({ secret: "s", body: BODY, now: NOW });
  const standard = signStandardWebhook({ secrets: ["s"], id: "m", body: BODY, now: NOW });
  for (const name of Object.keys(agentKit)) {
    const { [name]: _, ...rest } = agentKit;
    assert.equal(problemOf(checkAgentKit(rest, { secrets: ["s"], body: BODY })), "missing");
  }
  for (const name of Object.keys(standard)) {
    const { [name]: _, ...rest } = standard;
    assert.equal(problemOf(checkStandard(rest, { secrets: ["s"], body: BODY })), "missing");
  }
});

test("headers that are no signature are malformed, never an exception", () => {
  const agentKit = signAgentKit({ secret: "s", body: BODY, now: NOW });
  const wrongAgentKit: [string, string][] = [
    ["X-AgentKit-Timestamp", ""],
    ["X-AgentKit-Timestamp", "1.7e9"],
    ["X-AgentKit-Timestamp", " 1700000000"],
    ["X-AgentKit-Timestamp", "01700000000"],
    ["X-AgentKit-Timestamp", "-1700000000"],
    ["X-AgentKit-Timestamp", "2023-11-14T22:13:20Z"],
    ["X-AgentKit-Signature", ""],
    ["X-AgentKit-Signature", "ab"],
    ["X-AgentKit-Signature", "z".repeat(64)],
    ["X-AgentKit-Signature", "0".repeat(66)],
  ];
  for (const [name, value] of wrongAgentKit) {
    const verdict = checkAgentKit({ ...agentKit, [name]: value }, { secrets: ["s"], body: BODY });
    assert.equal(problemOf(verdict), "malformed", `${name}: ${value}`);
  }
  const standard = signStandardWebhook({ secrets: ["s"], id: "m", body: BODY, now: NOW });
  const good = standard["webhook-signature"] ?? "";
  const wrongStandard: [string, string][] = [
    ["webhook-id", ""],
    ["webhook-id", "a.b"],
    ["webhook-id", "m".repeat(257)],
    ["webhook-timestamp", "now"],
    ["webhook-signature", ""],
    ["webhook-signature", "v1"],
    ["webhook-signature", "v1,"],
    ["webhook-signature", "v1,AAAA"],
    ["webhook-signature", `v1,${"*".repeat(44)}`],
    ["webhook-signature", `${good}  ${good}`],
    ["webhook-signature", Array(17).fill(good).join(" ")],
  ];
  for (const [name, value] of wrongStandard) {
    const verdict = checkStandard({ ...standard, [name]: value }, { secrets: ["s"], body: BODY });
    assert.equal(problemOf(verdict), "malformed", `${name}: ${value}`);
  }
});

test("signatures of other versions are passed over, and alone they prove nothing", () => {
  const standard = signStandardWebhook({ secrets: ["s"], id: "m", body: BODY, now: NOW });
  const good = standard["webhook-signature"] ?? "";
  const mixed = { ...standard, "webhook-signature": `v1a,whatever ${good}` };
  assert.equal(problemOf(checkStandard(mixed, { secrets: ["s"], body: BODY })), "none");
  const other = { ...standard, "webhook-signature": good.replace("v1,", "v2,") };
  assert.equal(problemOf(checkStandard(other, { secrets: ["s"], body: BODY })), "mismatch");
});

test("the parts of a signed message cannot be moved from id to timestamp or body", () => {
  const signed = signStandardWebhook({ secrets: ["s"], id: "m", body: "1700000001.{}", now: NOW });
  const moved = { ...signed, "webhook-id": "m.1700000000", "webhook-timestamp": "1700000001" };
  assert.equal(problemOf(checkStandard(moved, { secrets: ["s"], body: "{}" })), "malformed");
});

test("a copy has the replay key of its original, whatever the letter case; a second try has its own", () => {
  const key = (verdict: SignatureVerdict) => (verdict.ok ? verdict.replayKey : verdict.problem);
  const signed = signAgentKit({ secret: "s", body: BODY, now: NOW });
  const shouted = { ...signed, "X-AgentKit-Signature": signed["X-AgentKit-Signature"]?.toUpperCase() ?? "" };
  const secrets = ["s"];
  assert.equal(
    key(checkAgentKit(shouted, { secrets, body: BODY })),
    key(checkAgentKit(signed, { secrets, body: BODY })),
  );
  const first = signStandardWebhook({ secrets, id: "m", body: BODY, now: NOW });
  const second = signStandardWebhook({ secrets, id: "m", body: BODY, now: NOW + SECOND });
  const keys = [first, second].map((headers) => key(checkStandard(headers, { secrets, body: BODY })));
  assert.equal(new Set(keys).size, 2);
});

test("a secret that cannot sign is refused without being repeated", () => {
  for (const secret of ["", "whsec_", "whsec_not base64"]) {
    for (const attempt of [
      () => checkWebhookSecret(secret),
      () => signAgentKit({ secret, body: BODY, now: NOW }),
      () => signStandardWebhook({ secrets: [secret], id: "m", body: BODY, now: NOW }),
    ]) {
      assert.throws(attempt, (error: unknown) => {
        assert.ok(error instanceof OpspawnError);
        assert.equal(error.code, "invalid_request");
        assert.ok(!error.message.includes("not base64"));
        return true;
      });
    }
  }
  assert.throws(() => signStandardWebhook({ secrets: ["s"], id: "a.b", body: BODY, now: NOW }), OpspawnError);
});

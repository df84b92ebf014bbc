import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../domain/secret.ts";
import { TestClock } from "../system/test-clock.ts";
import { signerOf } from "./signing.ts";

test("with a secret, messages are signed in both schemes", () => {
  const headers = signerOf(new Secret("s3cret"), new TestClock())("dlv_1", "{}");
  assert.deepEqual(Object.keys(headers), [
    "X-AgentKit-Timestamp",
    "X-AgentKit-Signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
  ]);
});

test("without a secret, a message carries its id and time, the id the same over tries and the time that of the try", () => {
  const clock = new TestClock();
  const sign = signerOf(null, clock);
  const first = sign("dlv_1", "{}");
  clock.advance(5_000_000);
  const second = sign("dlv_1", "{}");
  const timestamp = String(Math.floor(clock.now() / 1_000_000));
  assert.deepEqual(second, { "webhook-id": "dlv_1", "webhook-timestamp": timestamp });
  assert.deepEqual(first, { "webhook-id": "dlv_1", "webhook-timestamp": String(Number(timestamp) - 5) });
});

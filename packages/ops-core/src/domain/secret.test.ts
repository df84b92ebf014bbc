import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret } from "./secret.ts";

test("a secret shows itself only to who asks for it by name", () => {
  const secret = new Secret("hunter2");
  assert.equal(secret.reveal(), "hunter2");
  const printed = [String(secret), `${secret}`, JSON.stringify({ secret }), inspect({ secret }), inspect(secret)];
  for (const text of printed) {
    assert.ok(text.includes("[redacted]"), text);
    assert.ok(!text.includes("hunter2"), text);
  }
});

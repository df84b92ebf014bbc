import assert from "node:assert/strict";
import { test } from "node:test";
import { SendCapacity } from "./send-capacity.ts";

test("a process without an engine, or that is stopping, sends nothing", () => {
  const capacity = new SendCapacity(3);
  assert.equal(capacity.left(), 0);
  let open = 1;
  capacity.open(() => open);
  assert.equal(capacity.left(), 2);
  open = 5;
  assert.equal(capacity.left(), 0, "never less than nothing");
  capacity.close();
  open = 0;
  assert.equal(capacity.left(), 0);
});

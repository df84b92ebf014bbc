import assert from "node:assert/strict";
import { test } from "node:test";
import { killAt } from "./failpoint.ts";

test("a failpoint kills at the armed hit of the armed name, and only there", () => {
  let kills = 0;
  const failpoint = killAt({ name: "store.after-commit", hit: 2 }, () => {
    kills += 1;
  });
  failpoint("store.after-commit");
  failpoint("store.before-commit");
  assert.equal(kills, 0);
  failpoint("store.after-commit");
  assert.equal(kills, 1);
  failpoint("store.after-commit");
  assert.equal(kills, 1);
});

import assert from "node:assert/strict";
import { it } from "node:test";
import { complaintsOf } from "./test-run/tool.ts";

it("is formatted and free of lint (npm run format mends most)", async () => {
  const complaints = await complaintsOf("lint");
  assert.ok(complaints === "", complaints);
});

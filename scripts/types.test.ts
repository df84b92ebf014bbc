import assert from "node:assert/strict";
import { it } from "node:test";
import { complaintsOf } from "./test-run/tool.ts";

it("has no type errors (npm run types)", async () => {
  const complaints = await complaintsOf("types");
  assert.ok(complaints === "", complaints);
});

import assert from "node:assert/strict";
import { it } from "node:test";
import { complaintsOf } from "./test-run/tool.ts";

it("has no unused files, exports or dependencies (npm run dead-code)", async () => {
  const complaints = await complaintsOf("dead-code");
  assert.ok(complaints === "", complaints);
});

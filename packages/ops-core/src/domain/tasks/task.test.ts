import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { capabilityOf, laneOf, lanesServed, type Requirement } from "./task.ts";

const requirements: readonly [Requirement, string, string | null][] = [
  [{ kind: "agent", agentId: "a1" }, "agent:a1", null],
  [{ kind: "agentName", agentName: "reader" }, "name:reader", null],
  [{ kind: "capability", capability: "read", preferred: "a1" }, "capability:read", "read"],
];

for (const [requirement, lane, capability] of requirements) {
  test(`work that wants ${requirement.kind} waits in lane ${lane}`, () => {
    assert.equal(laneOf(requirement), lane);
    assert.equal(capabilityOf(lane), capability);
  });
}

test("an agent serves exactly the lanes of work that wants it", () => {
  const agent = { id: "a1", name: "reader", capabilities: ["read", "write"] };
  assert.deepEqual(lanesServed(agent), ["agent:a1", "name:reader", "capability:read", "capability:write"]);
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (wanted, capabilities) => {
      const serves = lanesServed({ ...agent, capabilities }).includes(
        laneOf({ kind: "capability", capability: wanted, preferred: null }),
      );
      assert.equal(serves, capabilities.includes(wanted));
    }),
  );
});

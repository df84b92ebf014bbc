import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MINUTE, SECOND } from "../clock.ts";
import { agentBlock } from "./claimable.ts";
import type { AttemptEnd } from "./failures.ts";
import { deriveHealth, type HealthFacts, healthText, OFFLINE_AFTER } from "./health.ts";
import type { Quarantine } from "./quarantine.ts";
import { idleCapacity } from "./test-capacity.ts";

const NOW = 1_000 * MINUTE;

function facts(rest: Partial<HealthFacts> = {}): HealthFacts {
  return { ...idleCapacity(NOW), stateReceivedAt: NOW, ends: [], frozen: [], ...rest };
}

const QUARANTINE: Quarantine = {
  since: NOW - MINUTE,
  cause: "failures",
  failed: 5,
  of: 5,
  by: null,
  reason: null,
  tries: 1,
  nextTryAt: NOW + MINUTE,
  trial: null,
};

function health(rest: Partial<HealthFacts>): string {
  const { health: word, cause } = deriveHealth(facts(rest), NOW);
  return `${word} ${cause}`;
}

const failures = (count: number, successes = 0): AttemptEnd[] => [
  ...Array.from({ length: count }, (_, i): AttemptEnd => [NOW - 1, `task_${i}`, "agent_error"]),
  ...Array.from({ length: successes }, (_, i): AttemptEnd => [NOW, `task_good${i}`, null]),
];

test("an agent of which nothing speaks against is ready, heartbeat or not", () => {
  assert.equal(health({}), "ready null");
  assert.equal(health({ heartbeat: true }), "ready null");
  assert.equal(health({ heartbeat: true, leaseUntil: NOW + 10 * SECOND }), "ready null");
  assert.equal(health({ ends: failures(2) }), "ready null", "two failures are no pattern");
});

test("without a sign of life an agent that keeps a lease is suspect, then unresponsive, then offline", () => {
  for (const kept of [{ channel: "pull" }, { heartbeat: true }] as const) {
    assert.equal(health({ ...kept, leaseUntil: NOW + 3 * SECOND }), "ready null");
    assert.equal(health({ ...kept, leaseUntil: NOW + 3 * SECOND - 1 }), "suspect late_heartbeat");
    assert.equal(health({ ...kept, leaseUntil: NOW }), "unresponsive lease_lost");
    assert.equal(health({ ...kept, leaseUntil: NOW - OFFLINE_AFTER + 1 }), "unresponsive lease_lost");
    assert.equal(health({ ...kept, leaseUntil: NOW - OFFLINE_AFTER }), "offline lease_lost");
  }
  assert.equal(health({ channel: "pull" }), "offline never_seen");
});

test("an endpoint that fails makes its agent unresponsive, and offline when that lasts", () => {
  const circuit = { openedAt: NOW - SECOND, nextProbeAt: NOW };
  assert.equal(health({ circuit }), "unresponsive circuit_open");
  assert.equal(health({ circuit: { ...circuit, openedAt: NOW - OFFLINE_AFTER } }), "offline circuit_open");
});

test("progress that does not move, some failures and an old state make an agent suspect", () => {
  assert.equal(health({ frozen: ["task_1"] }), "suspect frozen_progress");
  assert.equal(health({ ends: failures(3) }), "suspect failures");
  assert.equal(health({ ends: failures(3, 3) }), "suspect failures");
  assert.equal(health({ ends: failures(3, 4) }), "ready null");
  const old = { stateReceivedAt: NOW - 10 * MINUTE };
  assert.equal(health({ ...old, state: "Active" }), "suspect stale_state");
  assert.equal(health({ ...old, state: "error" }), "suspect stale_state");
  assert.equal(health({ ...old, state: "active", held: 1 }), "ready null", "our own work is why it is active");
  assert.equal(health({ ...old, state: "idle" }), "ready null");
});

test("failures of more than ten minutes ago say nothing any more", () => {
  const ends = failures(4).map(([, task, code]): AttemptEnd => [NOW - 10 * MINUTE, task, code]);
  assert.equal(health({ ends }), "ready null");
});

test("quarantine goes before everything else, and its evidence says why and when it is tried", () => {
  const circuit = { openedAt: NOW, nextProbeAt: NOW };
  const found = deriveHealth(facts({ quarantine: QUARANTINE, circuit, ends: failures(5), frozen: ["t"] }), NOW);
  assert.deepEqual(found, {
    health: "quarantined",
    cause: "failures",
    since: NOW - MINUTE,
    evidence: {
      failed: 5,
      of: 5,
      taskIds: ["task_0", "task_1", "task_2", "task_3", "task_4"],
      tries: 1,
      nextTryAt: "1970-01-01T16:41:00.000000Z",
      trial: null,
    },
  });
  const manual = deriveHealth(
    facts({ quarantine: { ...QUARANTINE, cause: "manual", by: "ann", nextTryAt: null } }),
    NOW,
  );
  assert.equal(healthText(manual), "was quarantined by ann since 1970-01-01T16:39:00Z");
});

test("who is not claimable is never called ready, and who is ready or suspect has no gone lease", () => {
  const any = fc.record({
    state: fc.constantFrom("idle", "active", "error"),
    stateReceivedAt: fc.integer({ min: 0, max: NOW }),
    stateLapsesAt: fc.integer({ min: 0, max: 2 * NOW }),
    channel: fc.constantFrom<"push" | "pull">("push", "pull"),
    heartbeat: fc.boolean(),
    leaseUntil: fc.option(fc.integer({ min: NOW - OFFLINE_AFTER * 2, max: NOW + 10 * SECOND })),
    maxConcurrency: fc.integer({ min: 1, max: 4 }),
    held: fc.integer({ min: 0, max: 5 }),
    draining: fc.constant(0),
    circuit: fc.option(fc.constant({ openedAt: NOW - SECOND, nextProbeAt: NOW })),
    quarantine: fc.option(fc.constant(QUARANTINE)),
    probe: fc.constant(null),
    ends: fc.constantFrom(failures(0), failures(4), failures(1, 3)),
    frozen: fc.constantFrom<string[]>([], ["task_1"]),
  });
  fc.assert(
    fc.property(any, (given) => {
      const { health: word } = deriveHealth(given, NOW);
      const block = agentBlock(given, NOW);
      if (block === "agent_offline") assert.ok(["unresponsive", "offline", "quarantined"].includes(word));
      if (block === "agent_quarantined") assert.equal(word, "quarantined");
      if (word === "ready" || word === "suspect") assert.ok(given.circuit === null && given.quarantine === null);
      assert.deepEqual(deriveHealth(given, NOW), deriveHealth(structuredClone(given), NOW), "nothing else decides");
    }),
  );
});

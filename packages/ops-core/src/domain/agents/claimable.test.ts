import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AgentCapacity, agentBlock, isOffline, isRestart, keepsLease, mayBeProbed } from "./claimable.ts";
import type { Quarantine } from "./quarantine.ts";
import { idleCapacity } from "./test-capacity.ts";

const NOW = 1_000_000;

function agent(rest: Partial<AgentCapacity> = {}): AgentCapacity {
  return { ...idleCapacity(NOW), ...rest };
}

const block = (rest: Partial<AgentCapacity>) => agentBlock(agent(rest), NOW);

test("idle agents, agents that never reported, and agents in states we do not know are claimed by free slots", () => {
  for (const state of ["idle", "IDLE", "UNKNOWN", "unknown", "thinking", ""]) {
    assert.equal(block({ state }), null, state);
    assert.equal(block({ state, held: 1 }), "agent_busy", state);
    assert.equal(block({ state, held: 1, maxConcurrency: 2 }), null, state);
  }
});

test("initializing and finished agents are never claimed, however long ago they said so", () => {
  for (const stateLapsesAt of [NOW - 1, NOW + 1]) {
    assert.equal(block({ state: "initializing", stateLapsesAt }), "agent_initializing");
    assert.equal(block({ state: "Finished", stateLapsesAt }), "agent_finished");
  }
});

test("`error` keeps an agent from work until it lapses", () => {
  assert.equal(block({ state: "error" }), "agent_error");
  assert.equal(block({ state: "ERROR", stateLapsesAt: NOW }), null);
  assert.equal(block({ state: "error", maxConcurrency: 5 }), "agent_error");
});

test("`active` keeps an agent from work unless our own attempts cause it, it has more slots, or it lapses", () => {
  assert.equal(block({ state: "active" }), "agent_busy_elsewhere");
  assert.equal(block({ state: "Active", stateLapsesAt: NOW }), null);
  assert.equal(block({ state: "active", held: 1 }), "agent_busy");
  assert.equal(block({ state: "active", maxConcurrency: 2 }), null);
  assert.equal(block({ state: "active", held: 1, draining: 1 }), "agent_busy_elsewhere");
});

test("slots that only drain are told apart from slots in use", () => {
  assert.equal(block({ held: 1, draining: 1 }), "agent_draining");
  assert.equal(block({ held: 2, draining: 1, maxConcurrency: 2 }), "agent_busy");
  assert.equal(block({ held: 3, draining: 0, maxConcurrency: 2 }), "agent_busy", "it shrank");
});

test("an open circuit lets nothing through until its next probe is due", () => {
  const circuit = { openedAt: 0, nextProbeAt: NOW };
  assert.equal(block({ circuit: { ...circuit, nextProbeAt: NOW + 1 } }), "circuit_open");
  assert.equal(block({ circuit }), null);
  assert.equal(block({ circuit, held: 1 }), "agent_busy");
});

test("a quarantined agent is given one task at a time, when it is due to be tried and has no probe of its own", () => {
  const quarantine: Quarantine = {
    since: 0,
    cause: "failures",
    failed: 5,
    of: 5,
    by: null,
    reason: null,
    tries: 0,
    nextTryAt: NOW,
    trial: null,
  };
  assert.equal(block({ quarantine }), null);
  assert.equal(block({ quarantine: { ...quarantine, nextTryAt: NOW + 1 } }), "agent_quarantined");
  assert.equal(block({ quarantine: { ...quarantine, nextTryAt: null } }), "agent_quarantined");
  assert.equal(block({ quarantine: { ...quarantine, trial: "task_1/1" } }), "agent_quarantined");
  const probe = { parameters: {}, timeout: 1 };
  assert.equal(block({ quarantine, probe }), "agent_quarantined", "its probe is for that");
  const probed = (rest: Partial<AgentCapacity>) => mayBeProbed(agent({ quarantine, probe, ...rest }), NOW);
  assert.equal(probed({}), true);
  const keptFrom: Partial<AgentCapacity>[] = [{ held: 1 }, { probe: null }, { quarantine: null }, { state: "error" }];
  for (const rest of keptFrom) assert.equal(probed(rest), false, JSON.stringify(rest));
});

test("an agent that keeps a lease is offline once it has run out", () => {
  for (const kept of [{ channel: "pull" }, { heartbeat: true }] as const) {
    assert.equal(block({ ...kept, leaseUntil: NOW }), "agent_offline");
    assert.equal(block({ ...kept, leaseUntil: NOW + 1 }), null);
    assert.equal(block({ ...kept, leaseUntil: null }), null, "never seen is not gone");
    assert.ok(keepsLease(agent(kept)) && isOffline(agent({ ...kept, leaseUntil: 0 }), NOW));
  }
  assert.equal(block({ leaseUntil: 0 }), null);
  assert.equal(keepsLease(agent()), false);
});

test("an agent that may be claimed always has a free slot and a closed or probed circuit", () => {
  const any = fc.record({
    state: fc.constantFrom("idle", "active", "error", "initializing", "finished", "UNKNOWN", "x"),
    stateLapsesAt: fc.integer({ min: 0, max: 2 * NOW }),
    channel: fc.constantFrom<"push" | "pull">("push", "pull"),
    heartbeat: fc.boolean(),
    leaseUntil: fc.option(fc.integer({ min: 0, max: 2 * NOW })),
    maxConcurrency: fc.integer({ min: 1, max: 4 }),
    held: fc.integer({ min: 0, max: 5 }),
    draining: fc.integer({ min: 0, max: 5 }),
    circuit: fc.option(fc.record({ openedAt: fc.constant(0), nextProbeAt: fc.integer({ min: 0, max: 2 * NOW }) })),
    quarantine: fc.option(
      fc.record({
        since: fc.constant(0),
        cause: fc.constantFrom<"failures" | "manual">("failures", "manual"),
        failed: fc.constant(5),
        of: fc.constant(5),
        by: fc.constant(null),
        reason: fc.constant(null),
        tries: fc.nat(9),
        nextTryAt: fc.option(fc.integer({ min: 0, max: 2 * NOW })),
        trial: fc.option(fc.constant("task_1/1")),
      }),
    ),
    probe: fc.option(fc.constant({ parameters: {}, timeout: 1 })),
  });
  fc.assert(
    fc.property(any, (given) => {
      if (agentBlock(given, NOW) !== null) return;
      assert.ok(given.held < given.maxConcurrency);
      assert.ok(given.circuit === null || given.circuit.nextProbeAt <= NOW);
      assert.ok(!isOffline(given, NOW));
      const { quarantine, probe } = given;
      assert.ok(quarantine === null || (probe === null && quarantine.trial === null && quarantine.nextTryAt !== null));
      assert.ok((quarantine?.nextTryAt ?? 0) <= NOW);
    }),
  );
});

test("an agent says that it has just been started by `initializing` or `UNKNOWN`", () => {
  for (const state of ["UNKNOWN", "initializing", "INITIALIZING"]) assert.equal(isRestart(state), true);
  for (const state of ["idle", "active", "unknown", "error"]) assert.equal(isRestart(state), false);
});

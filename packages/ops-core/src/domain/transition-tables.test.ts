import assert from "node:assert/strict";
import { test } from "node:test";
import { deliveryTable } from "./deliveries/transitions.ts";
import { effectTable } from "./effects/transitions.ts";
import { sessionTable, stepTable } from "./sessions/transitions.ts";
import { attemptTable, taskTable } from "./tasks/transitions.ts";
import { isTerminal, nextState, type TransitionTable, terminalStates } from "./transition-table.ts";

type AnyTable = TransitionTable<string, string>;

const TABLES: readonly AnyTable[] = [taskTable, attemptTable, sessionTable, stepTable, deliveryTable, effectTable];

/** What nothing leads out of, by hand: a table that loses one of these has changed a promise. */
const TERMINAL: Readonly<Record<string, readonly string[]>> = {
  task: ["completed", "failed", "cancelled"],
  attempt: ["succeeded", "failed", "timed_out", "lost", "cancelled"],
  session: ["completed", "failed", "cancelled"],
  step: ["skipped", "compensated"],
  delivery: ["delivered", "failed"],
  effect: ["done"],
};

for (const table of TABLES) {
  const events = Object.entries(table.transitions);

  test(`${table.noun}: the table is about its own states, each once`, () => {
    assert.equal(new Set(table.states).size, table.states.length);
    const named = [...table.initial, ...events.flatMap(([, { from, to }]) => [...from, to])];
    for (const state of named) assert.ok(table.states.includes(state), state);
  });

  test(`${table.noun}: every state can be reached, and has an end in reach`, () => {
    const reached = new Set(table.initial);
    for (const state of reached) {
      for (const [event] of events) {
        const next = nextState(table, state, event);
        if (next !== null) reached.add(next);
      }
    }
    assert.deepEqual([...reached].sort(), [...table.states].sort());
    for (const state of table.states) assert.ok(canEnd(table, state), state);
  });

  test(`${table.noun}: its ends are final`, () => {
    assert.deepEqual([...terminalStates(table)].sort(), [...(TERMINAL[table.noun] ?? [])].sort());
    for (const state of table.states) assert.equal(isTerminal(table, state), terminalStates(table).includes(state));
  });

  for (const state of table.states) {
    for (const [event, { from, to }] of events) {
      const legal = from.includes(state);
      test(`${table.noun} ${state}, ${event}: ${legal ? to : "not allowed"}`, () => {
        assert.equal(nextState(table, state, event), legal ? to : null);
      });
    }
  }
}

function canEnd(table: AnyTable, start: string): boolean {
  const seen = new Set([start]);
  for (const state of seen) {
    if (isTerminal(table, state)) return true;
    for (const event of Object.keys(table.transitions)) {
      const next = nextState(table, state, event);
      if (next !== null) seen.add(next);
    }
  }
  return false;
}

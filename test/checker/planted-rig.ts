import assert from "node:assert/strict";
import type { EffectEntry } from "./entries.ts";
import type { Left, Planted } from "./planted-left.ts";

const LIMITS = { concurrency: { key: "k", limit: 1 } };

function entryOf<T extends EffectEntry["type"]>(left: Left, type: T): Extract<EffectEntry, { type: T }> {
  const found = left.effects.find((entry): entry is Extract<EffectEntry, { type: T }> => entry.type === type);
  assert.ok(found !== undefined);
  return found;
}

/** The first task announced something, and that is how it stands. */
function announce(left: Left, status: string, policy: string | null): string {
  const { key: task } = entryOf(left, "effect");
  left.db.exec(`insert into effects (task_id, effect_id, status, attempt, announced_at, told_at, told_by)
      values ('${task}', 'pay', '${status}', 1, 1, 1, 'tool');
    update tasks set policy = json_set(policy, '$.onUncertain', ${policy === null ? "null" : `'${policy}'`})
      where id = '${task}'`);
  return task;
}

function outside(left: Left, task: string, attempt: number, key: string): void {
  const known = attempt > 1;
  left.effects.push({ type: "outside", at: 1, agent: "first", task, attempt, effect: "pay", key, known });
}

const CANCELLED = `insert into cancellations (id, task_id, n, session_id, agent_id, agent_name, channel, reason, stage,
  requested_at, timeout_at, ended_at) select 'can_1', a.task_id, a.n, t.session_id, a.agent_id, 'first', 'message', 'x',
  'stopped', 1, 1, 1 from attempts a join tasks t on t.id = a.task_id limit 1`;
const TOLD_IN_TIME = "an agent that takes messages or asks for work is told of a cancellation within 8 s of serving";
const LEARNS = "who cancels learns how each cancellation ended, and that stays so";
const KEPT = "each attempt is handed the same key for an effect, and what was told of it is not forgotten";
const BY_POLICY = "what was in doubt ends as its policy says, and as it was";

/** What only the logs of those who do the work, and who call it off, can show. */
export const PLANTED_RIG: readonly Planted[] = [
  [
    "two tasks of a key were at work at once",
    "in the eyes of agents no more tasks of a key are at work than its limit",
    (left) => {
      const begun = { type: "begun", agent: "first", attempt: 1, limits: LIMITS } as const;
      const effect = { type: "effect", agent: "first", attempt: 1, result: null } as const;
      left.effects.push({ ...begun, at: 1, key: "a" }, { ...begun, at: 2, key: "b" });
      left.effects.push({ ...effect, at: 3, key: "a" }, { ...effect, at: 3, key: "b" });
    },
  ],
  [
    "a key's tasks were given out too soon one after the other",
    "agents are given no more tasks of a key within its time than its limit",
    (left) => {
      const limits = { ...LIMITS, rate: { key: "k", limit: 1, per: 1_000_000 } };
      const sentAt = "2026-11-21T01:02:03.000004Z";
      left.effects = left.effects.map((entry) => (entry.type === "delivery" ? { ...entry, limits, sentAt } : entry));
    },
  ],
  [
    "a second attempt was handed another key",
    KEPT,
    (left) => {
      const entry = { type: "announced", at: 1, agent: "first", task: "t", effect: "pay", status: "intended" } as const;
      left.effects.push({ ...entry, attempt: 1, key: "one", again: false });
      left.effects.push({ ...entry, attempt: 2, key: "two", again: true });
    },
  ],
  [
    "a receipt was taken and forgotten",
    KEPT,
    (left) => {
      const entry = { agent: "first", task: "t", effect: "pay", attempt: 1 } as const;
      left.effects.push({ ...entry, type: "receipt", at: 1, status: 200 });
      left.effects.push({ ...entry, type: "announced", at: 2, status: "intended", key: "one", again: true });
    },
  ],
  [
    "something was done under two keys",
    "nothing is done outside under two keys, and nothing that was not announced",
    (left) => {
      const task = announce(left, "done", null);
      outside(left, task, 1, "one");
      outside(left, task, 2, "two");
    },
  ],
  [
    "what was announced and done is gone",
    "nothing is done outside under two keys, and nothing that was not announced",
    (left) => outside(left, entryOf(left, "effect").key, 1, "one"),
  ],
  ["a tool said that it was done, and it was not", BY_POLICY, (left) => announce(left, "done", "verify")],
  [
    "a step that had to fail was tried again",
    BY_POLICY,
    (left) => {
      const task = announce(left, "done", "fail");
      outside(left, task, 1, "one");
      outside(left, task, 2, "one");
    },
  ],
  [
    "nobody was to be asked, and somebody was",
    BY_POLICY,
    (left) => {
      const task = announce(left, "done", null);
      outside(left, task, 1, "one");
      left.db.exec(`insert into doubts (task_id, attempt, policy, since, outcome, answer, ended_at)
        values ('${task}', 1, 'ask', 1, '{}', 'told', 2)`);
    },
  ],
  [
    "a start forgot whom it had to tell",
    TOLD_IN_TIME,
    ({ db }) =>
      db.exec(`${CANCELLED}; update cancellations set stage = 'requested', ended_at = null;
        update instances set started_at = 1, ended_at = 9e15`),
  ],
  [
    "an attempt that was cancelled succeeded",
    "no result of what was cancelled is an outcome",
    ({ db }) => db.exec(CANCELLED),
  ],
  [
    "nobody was told what came of a cancel",
    LEARNS,
    (left) => {
      const { sessionId, key, at } = left.client.find((entry) => entry.type === "ended") ?? assert.fail();
      left.client = [...left.client, { type: "cancelled", at, key, sessionId, status: 200, waits: true }];
    },
  ],
  [
    "what had stopped goes on",
    LEARNS,
    (left) => {
      const { sessionId, key, at } = left.client.find((entry) => entry.type === "ended") ?? assert.fail();
      left.client = [...left.client, { type: "called_off", at, key, sessionId, stages: { can_1: "stopped" } }];
      left.db.exec(`${CANCELLED}; update cancellations set stage = 'refused', session_id = '${sessionId}'`);
    },
  ],
];

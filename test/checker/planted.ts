import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import type { ClientEntry, EffectEntry, StreamLog } from "./entries.ts";
import { PLANTED_CANCELLATIONS } from "./planted-cancellations.ts";
import { CLAIMED_LAST, LIMITS } from "./planted-limits.ts";

/** What is left of a system. */
export interface Left {
  readonly db: DatabaseSync;
  client: ClientEntry[];
  effects: EffectEntry[];
  streams: StreamLog[];
}

function change<E extends { type: string }, T extends E["type"]>(entries: E[], type: T, more: object): E[] {
  return entries.map((entry) => (entry.type === type ? { ...entry, ...more } : entry));
}

/** The last entry of a type, changed, once more at the end. */
function again<E extends { type: string }>(entries: E[], type: E["type"], more: object): E[] {
  const last = entries.findLast((entry) => entry.type === type);
  assert.ok(last !== undefined);
  return [...entries, { ...last, ...more }];
}

function without<E extends { type: string }>(entries: E[], type: E["type"]): E[] {
  return entries.filter((entry) => entry.type !== type);
}

const DECIDES = "what follows a failed attempt, and after what time, is what the task's policy says";

/** What was done to the system, and the invariant that must be found broken. */
export type Planted = readonly [what: string, invariant: string, tamper: (left: Left) => void];

export const PLANTED: readonly Planted[] = [
  [
    "a session that was acknowledged is gone",
    "every acknowledged session exists",
    (left) => {
      left.client = again(left.client, "answered", { sessionId: "another" });
    },
  ],
  [
    "a session exists that nobody asked for",
    "every existing session was asked for",
    ({ db }) => db.exec("update session_labels set value = 'call-9' where value = 'call-2'"),
  ],
  [
    "an attempt was sent and is gone",
    "every attempt that reached an agent exists, with its token",
    ({ db }) => db.exec("update attempts set token = '1.other' where n = 1"),
  ],
  [
    "a session's result is another than its client was told",
    "an end that a client was told, and its result, stay as they were and are right",
    ({ db }) => db.exec("update sessions set result = '{}'"),
  ],
  [
    "a session was cancelled that nobody cancelled",
    "a session is cancelled where that was answered 200, and only there",
    ({ db }) => db.exec("update sessions set status = 'cancelled'"),
  ],
  [
    "a cancel was agreed to and not done",
    "a session is cancelled where that was answered 200, and only there",
    (left) => {
      const [ended] = left.client.filter((entry) => entry.type === "ended");
      assert.ok(ended !== undefined);
      left.client = [...left.client, { ...ended, type: "cancelled", status: 200 }];
    },
  ],
  [
    "a session has a wrong result",
    "an end that a client was told, and its result, stay as they were and are right",
    (left) => {
      left.client = change(left.client, "ended", { expected: 1 });
    },
  ],
  [
    "a task is open though nothing is left to happen",
    "accepted = completed + failed + cancelled, each failed one with a reason",
    ({ db }) => db.exec("update tasks set status = 'pending', ended_at = null where step = 1"),
  ],
  [
    "a failed session has no reason",
    "accepted = completed + failed + cancelled, each failed one with a reason",
    ({ db }) => db.exec("update sessions set status = 'failed'"),
  ],
  [
    "a task was completed without an agent",
    "every completed task was delivered",
    (left) => {
      left.effects = without(left.effects, "delivery");
    },
  ],
  [
    "one key made two sessions",
    "a call happened once or not at all, and every answer to its key agrees",
    ({ db }) => db.exec("update session_labels set value = 'call-1'"),
  ],
  [
    "a key was answered with two sessions",
    "a call happened once or not at all, and every answer to its key agrees",
    (left) => {
      left.client = again(left.client, "answered", { sessionId: "another" });
    },
  ],
  [
    "a key was never answered",
    "a call happened once or not at all, and every answer to its key agrees",
    (left) => {
      left.client = without(left.client, "answered");
    },
  ],
  [
    "two keys were answered with one session",
    "no two keys share a session",
    (left) => {
      left.client = again(left.client, "answered", { key: "call-1" });
    },
  ],
  [
    "a call was answered 500",
    "no call met a defect of the server, or was refused without a cause",
    (left) => {
      left.client = again(left.client, "answered", { status: 500, sessionId: null });
    },
  ],
  [
    "two attempts of a task succeeded",
    "a completed task was completed by its last attempt, and by no other",
    ({ db }) => db.exec("update attempts set status = 'succeeded'"),
  ],
  [
    "a result was accepted under an old token",
    "an outcome that was accepted came under the token of the attempt it ended",
    ({ db }) => db.exec("update attempts set status = 'timed_out' where n = 1"),
  ],
  [
    "a task's result is not what its agent made",
    "the result of a task is what its agent made of it",
    ({ db }) => db.exec("update tasks set result = '{}'"),
  ],
  [
    "a number of an attempt is left out",
    "tokens of a task increase by one, and attempts stay within their bound",
    ({ db }) => db.exec("update attempts set n = 3 where n = 2"),
  ],
  [
    "a token was used again",
    "tokens of a task increase by one, and attempts stay within their bound",
    ({ db }) => db.exec("update attempts set token = '1.again' where n = 2"),
  ],
  [
    "a task had more attempts than it may",
    "tokens of a task increase by one, and attempts stay within their bound",
    ({ db }) => db.exec("update tasks set max = 1 where used = 2"),
  ],
  [
    "an old attempt was sent after a new one",
    "no agent is sent an older attempt after a newer one",
    ({ effects }) => effects.reverse(),
  ],
  [
    "a task had two effects",
    "an agent that remembers its keys has one effect per completed task",
    (left) => {
      left.effects = again(left.effects, "effect", {});
    },
  ],
  [
    "a task was completed without an effect",
    "an agent that remembers its keys has one effect per completed task",
    (left) => {
      left.effects = without(left.effects, "effect");
    },
  ],
  [
    "a task was sent under another key",
    "every send of a task carries its key, every send of an attempt its token",
    (left) => {
      left.effects = again(left.effects, "delivery", { key: "another" });
    },
  ],
  [
    "an attempt was sent again under another token",
    "every send of a task carries its key, every send of an attempt its token",
    (left) => {
      left.effects = again(left.effects, "delivery", { token: "1.other" });
    },
  ],
  [
    "an agent with one slot was at two tasks",
    "no agent has more tasks at once than it has slots",
    (left) => {
      left.effects = change(left.effects, "effect", { at: Number.MAX_SAFE_INTEGER });
    },
  ],
  [
    "a task ended twice",
    "an attempt, task or session ends once, and nothing but annotations follows",
    ({ db }) => db.exec("update events set entries = replace(entries, 'attempt.created', 'task.failed')"),
  ],
  [
    "a task was claimed while it ran",
    "each event is a legal transition",
    ({ db }) => db.exec("update events set entries = replace(entries, 'task.retrying', 'session.labelled')"),
  ],
  [
    "an event has a name nobody knows",
    "each event is a legal transition",
    ({ db }) => db.exec("update events set entries = replace(entries, 'task.retrying', 'task.repeating')"),
  ],
  [
    "an event is missing",
    "each stream is numbered 1..n, all events 1..N, without gaps",
    ({ db }) => db.exec("delete from events where entries like '%task.retrying%'"),
  ],
  [
    "the last event of a stream is missing",
    "each stream is numbered 1..n, all events 1..N, without gaps",
    ({ db }) => db.exec("delete from events where position = (select max(position) from events)"),
  ],
  [
    "a row is other than its events say",
    "the events, played again, give the rows",
    ({ db }) => db.exec("update attempts set status = 'lost' where status = 'failed'"),
  ],
  [
    "a running task has no attempt that is open",
    "a running task has one open attempt, its last, with a time at which it is looked at",
    ({ db }) => db.exec("drop index tasks_running; update tasks set status = 'running'"),
  ],
  [
    "an attempt is open though its task has ended",
    "a running task has one open attempt, its last, with a time at which it is looked at",
    ({ db }) => db.exec("update attempts set ended_at = null, wake_at = timeout_at"),
  ],
  [
    "a session has ended before its tasks",
    "a session has ended when its tasks have, and each part of a step has one task",
    ({ db }) => db.exec("update tasks set status = 'pending', ended_at = null"),
  ],
  [
    "a session goes on after its tasks",
    "a session has ended when its tasks have, and each part of a step has one task",
    ({ db }) => db.exec("update sessions set status = 'running', ended_at = null"),
  ],
  [
    "a step has two tasks",
    "a session has ended when its tasks have, and each part of a step has one task",
    ({ db }) => db.exec("drop index tasks_by_session; update tasks set step = 0"),
  ],
  [
    "a retry came before its time",
    "no retry comes before its time",
    ({ db }) => db.exec(`update events set entries = replace(entries, '"readyAt":"2', '"readyAt":"9')`),
  ],
  [
    "an open attempt is never looked at",
    "everything open has a next wake-up",
    ({ db }) => db.exec("update attempts set ended_at = null, wake_at = null"),
  ],
  [
    "work stayed with a dead process",
    "work that a dead process was sending is with another within 15 s of serving",
    ({ db }) => {
      db.exec("update instances set lease_until = started_at + 60000000 where epoch = 2");
      db.exec("update attempts set epoch = 1, ended_at = created_at + 60000000");
    },
  ],
  [
    "a session's webhook was forgotten",
    "every session that asked for a webhook has one, and it was sent",
    ({ db }) => db.exec("delete from deliveries"),
  ],
  [
    "a webhook still waits",
    "every session that asked for a webhook has one, and it was sent",
    ({ db }) => db.exec("update deliveries set status = 'pending'"),
  ],
  [
    "a webhook counts as delivered and never arrived",
    "each webhook arrives, under one id",
    (left) => {
      left.effects = without(left.effects, "webhook");
    },
  ],
  [
    "an end was told under two ids",
    "each webhook arrives, under one id",
    (left) => {
      left.effects = again(left.effects, "webhook", { id: "another" });
    },
  ],
  [
    "a retry waited longer than its policy says",
    DECIDES,
    ({ db }) => db.exec(`update tasks set policy = replace(policy, '"initialDelay":1000000', '"initialDelay":1')`),
  ],
  [
    "a task was tried again that had no attempt left",
    DECIDES,
    ({ db }) => db.exec(`update tasks set policy = replace(policy, '"maxAttempts":4', '"maxAttempts":1')`),
  ],
  [
    "a task was tried again and had a fallback",
    DECIDES,
    ({ db }) =>
      db.exec(`update tasks set policy = replace(replace(policy, '"maxAttempts":4', '"maxAttempts":1'),
      '"fallback":null', '"fallback":{"kind":"capability","capability":"x","preferred":null}')`),
  ],
  [
    "a task was tried again for a reason that its policy does not name",
    DECIDES,
    ({ db }) => db.exec(`update tasks set policy = replace(policy, '"agent_error"', '"lost"')`),
  ],
  [
    "a failed probe used an attempt up",
    DECIDES,
    ({ db }) => {
      db.exec("update attempts set probe = 1");
      db.exec(`update events set entries = replace(entries, '"attempt.failed"', '"attempt.timed_out"')`);
    },
  ],
  [
    "a task was given another attempt after its deadline",
    "no attempt times out before its own time, and none has more time than its task",
    ({ db }) => db.exec("update tasks set deadline = created_at"),
  ],
  [
    "an attempt timed out early",
    "no attempt times out before its own time, and none has more time than its task",
    ({ db }) => db.exec("update attempts set status = 'timed_out', timeout_at = ended_at + 1"),
  ],
  [
    "a slot drains for ever",
    "a slot drains no longer than its attempt was given",
    ({ db }) =>
      db.exec(`insert into draining_slots (task_id, n, agent_id, slot, until)
        select task_id, n, agent_id, slot, 9e15 from attempts limit 1`),
  ],
  [
    "a webhook told another end",
    "each webhook arrives, under one id",
    (left) => {
      left.effects = again(left.effects, "webhook", { event: "session.failed" });
    },
  ],
  [
    "a task was passed by one that stood behind it",
    "in a lane, no task is claimed before one of the same limits that stands before it and could be claimed",
    ({ db }) => db.exec(`update tasks set lane = 'one'; ${CLAIMED_LAST}`),
  ],
  ...LIMITS,
  ...[
    ["an event was left out of a stream", (log: StreamLog) => log.told.splice(3, 1)],
    ["an event was told twice", (log: StreamLog) => log.told.splice(3, 0, ...log.told.slice(3, 4))],
    [
      "two events were told in the wrong order",
      (log: StreamLog) => log.told.splice(3, 2, ...log.told.slice(3, 5).reverse()),
    ],
    ["a stream ended before its last event", (log: StreamLog) => log.told.pop()],
    ["a stream began anew", (log: StreamLog) => log.resets.push("foreign")],
  ].map(([what, tamper]): (typeof PLANTED)[number] => [
    String(what),
    "a stream, joined over its connections, is the log: each event once, in order, to the end",
    ({ streams }) => (tamper as (log: StreamLog) => void)(streams[0] as StreamLog),
  ]),
  [
    "a session's stream never ended",
    "a stream, joined over its connections, is the log: each event once, in order, to the end",
    ({ streams }) => {
      for (const log of streams) log.ended = null;
    },
  ],
  [
    "a task's stream ended with the task's status before last",
    "a stream, joined over its connections, is the log: each event once, in order, to the end",
    ({ db }) => db.exec("update tasks set status = 'failed'"),
  ],
  ...PLANTED_CANCELLATIONS,
  [
    "a value breaks the schema",
    "the database is whole",
    ({ db }) =>
      db.exec(
        "pragma ignore_check_constraints = on; update tasks set status = 'odd'; pragma ignore_check_constraints = off",
      ),
  ],
];

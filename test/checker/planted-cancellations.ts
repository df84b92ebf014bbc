import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import type { Planted } from "./planted-left.ts";

const OPEN_CANCELLATION = `insert into cancellations (id, task_id, n, agent_id, channel, reason, stage, requested_at,
  timeout_at, wake_at) select 'can_1', task_id, n, agent_id, 'none', 'x', 'requested', 1, 1, 1 from attempts limit 1`;
const STOP = { cancellationId: "can_1" };
const REQUESTED = ["cancellation.requested", STOP] as const;

/** Facts at the end of the first session's stream. */
function addEvents(db: DatabaseSync, entries: readonly (readonly [string, object])[]): void {
  const insert = db.prepare("insert into events (position, stream, sequence, at, entries) values (?, ?, ?, ?, ?)");
  const row = db.prepare("select id from sessions order by id limit 1").get() as { id: string };
  for (const [i, entry] of entries.entries()) insert.run(1e6 + i, row.id, 1e6 + i, 1, JSON.stringify([entry]));
}

/** Of attempts that were cancelled. */
export const PLANTED_CANCELLATIONS: readonly Planted[] = [
  [
    "a session goes on below one that was cancelled",
    "what belongs to a session that was cancelled has ended with it",
    ({ db }) => db.exec("update sessions set status = 'cancelled', parent_id = id, ended_at = null"),
  ],
  [
    "an attempt was cancelled and nobody was told",
    "an attempt that was cancelled has a cancellation, and what has stopped holds no slot",
    ({ db }) => db.exec("update attempts set status = 'cancelled'"),
  ],
  [
    "it is still waited for somebody to stop",
    "each stage of a cancellation has its time, no less, and each cancellation ends",
    ({ db }) => db.exec(OPEN_CANCELLATION),
  ],
  [
    "an agent was given up as soon as it was told to stop",
    "each stage of a cancellation has its time, no less, and each cancellation ends",
    ({ db }) =>
      addEvents(db, [
        REQUESTED,
        ["cancellation.unreachable", { ...STOP, note: "The agent could not be told in time." }],
      ]),
  ],
  [
    "an agent said that it stopped, and nobody knows of it",
    "what an agent says of a cancellation is known, and nothing is that nobody said",
    (left) => {
      const [done] = left.effects.filter((entry) => entry.type === "reported");
      assert.ok(done !== undefined);
      left.effects.push({ ...done, type: "word", status: "stopped", isHeard: true });
    },
  ],
  [
    "an agent is said to have refused, and has not said so",
    "what an agent says of a cancellation is known, and nothing is that nobody said",
    ({ db }) =>
      db.exec(`${OPEN_CANCELLATION};
        update cancellations set stage = 'refused', evidence = 'receipt', wake_at = null, ended_at = 1`),
  ],
  [
    "what was done is undone before somebody has stopped",
    "nothing is undone while it is waited for somebody to stop",
    ({ db }) => addEvents(db, [REQUESTED, ["session.compensating", {}]]),
  ],
  [
    "a result came too late, and its cancellation knows nothing of it",
    "of work that was done nonetheless it is known that it was",
    (left) => {
      left.effects = left.effects.map((entry) => (entry.type === "reported" ? { ...entry, status: 409 } : entry));
      left.db.exec(OPEN_CANCELLATION);
    },
  ],
];

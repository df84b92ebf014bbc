import type { Planted } from "../planting/planting.ts";

/** A bug that is put into the running server. */
export interface PlantedBug extends Planted {
  /** What the server does wrong. */
  readonly is: string;
  /** Invariants of which at least one must be found broken. */
  readonly breaks: readonly string[];
  /** Failpoints at which it shows soonest; default any. */
  readonly points?: readonly string[];
  /** Of each kind, where those of all runs would miss it too often; default as all runs. */
  readonly kills?: number;
}

/** Bugs that others had and that unit tests rarely see, since they show only when a process dies or a reply is late. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "acknowledge-before-commit",
    is: "answers are given when a group is done, commits follow when there is time",
    file: "store/sqlite/writer.ts",
    changes: [
      {
        from: 'this.#db.transaction("begin immediate");',
        to: 'if (!this.#db.inTransaction) this.#db.transaction("begin immediate");',
      },
      {
        from: 'this.#db.transaction("commit");',
        to: 'if (this.stats.commits % 20 === 0) this.#db.transaction("commit");',
      },
    ],
    breaks: ["1"],
    points: ["http.after-start", "http.after-result"],
  },
  {
    name: "any-token-will-do",
    is: "a result settles whichever attempt is open, under whichever token it comes",
    file: "store/sqlite/outcomes.ts",
    changes: [
      {
        from: "Number.isSafeInteger(n) ? loadAttempt(tx, task, n) : undefined",
        to: "Number.isSafeInteger(n) ? loadAttempt(tx, task, task.attempts) : undefined",
      },
      {
        from: "if (attempt === undefined || !sameText(attempt.token, token)) {",
        to: "if (attempt === undefined) {",
      },
    ],
    breaks: ["6"],
  },
  {
    name: "no-take-over",
    is: "a start does not send again what the process before it was sending",
    file: "store/sqlite/sender.ts",
    changes: [
      {
        from: "and (t.epoch <> ? or (t.wake_for in ('timeout', 'silence') and t.attempt_created_at <= ?))",
        to: "and t.epoch = ? and t.wake_for = 'timeout' and t.attempt_created_at <= ?",
      },
    ],
    breaks: ["R7"],
    points: ["engine.before-send"],
  },
  {
    name: "keys-of-this-process",
    is: "which Idempotency-Keys were used is forgotten with each start",
    file: "store/sqlite/idempotency.ts",
    changes: [
      {
        from: "where actor = ? and operation = ? and key = ?",
        to: "where actor = ? and operation = ? and key = ? and created_at >= (select max(started_at) from instances)",
      },
      { from: "insert into idempotency", to: "insert or replace into idempotency" },
    ],
    breaks: ["4"],
    points: ["http.after-start"],
  },
  {
    name: "key-per-attempt",
    is: "each attempt is sent under a key of its own",
    file: "engine/message.ts",
    changes: [
      { from: '"idempotency-key": attempt.taskId,', to: '"idempotency-key": `${attempt.taskId}/${attempt.attempt}`,' },
    ],
    breaks: ["R5", "9"],
  },
  {
    name: "permits-of-this-process",
    is: "a start gives back the permits that were taken before it",
    file: "store/sqlite/limit-index.ts",
    changes: [
      {
        from: "for (const map of [this.#lines,",
        to: `this.#db.run("delete from permits where since < ?", Math.floor((Date.now() - performance.now()) * 1000));
          for (const map of [this.#lines,`,
      },
    ],
    breaks: ["19"],
  },
  {
    name: "effect-key-per-attempt",
    is: "each attempt is handed a key of its own for what it does outside",
    file: "store/sqlite/effect-row.ts",
    changes: [
      {
        from: "key: effectKey(row.task_id, row.effect_id),",
        to: 'key: effectKey(row.task_id, row.effect_id + "/" + row.attempt),',
      },
    ],
    breaks: ["9"],
  },
  {
    name: "cancellations-of-this-process",
    is: "a start does not go on to tell agents what was cancelled before it",
    file: "store/sqlite/deliveries.ts",
    changes: [
      {
        from: "and not exists (select 1 ${BEHIND}) order by d.wake_at limit ?`;",
        to: `and not exists (select 1 \${BEHIND}) and (d.cancellation_id is null
          or d.created_at >= (select max(started_at) from instances)) order by d.wake_at limit ?\`;`,
      },
    ],
    breaks: ["15"],
    // A kill has to come between a cancel and the moment at which its agent takes notice.
    kills: 8,
  },
];

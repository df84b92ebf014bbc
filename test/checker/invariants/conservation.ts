import { isDeepStrictEqual } from "node:util";
import { type ClientEntry, entriesOf } from "../entries.ts";
import type { Evidence } from "../evidence.ts";
import { groupBy, type Invariant } from "../invariant.ts";

type Ended = Extract<ClientEntry, { type: "ended" }>;

interface SessionRow {
  readonly id: string;
  readonly status: string;
  readonly result: string | null;
  /** The key of the call that started it. */
  readonly call: string | null;
}

/** Those that somebody asked for: neither steps of others nor started by a schedule. */
const SESSIONS = `select s.id, s.status, s.result, l.value as call from sessions s
  left join session_labels l on l.session_id = s.id and l.key = 'call' where s.parent_id is null
    and not exists (select 1 from session_labels f where f.session_id = s.id and f.key = 'schedule')`;

function sessionsOf({ db }: Evidence): SessionRow[] {
  return db.all<SessionRow>(SESSIONS);
}

const acknowledgedExists: Invariant = {
  number: "1",
  name: "every acknowledged session exists",
  needs: ["client"],
  *check(evidence) {
    const known = new Set(sessionsOf(evidence).map(({ id }) => id));
    for (const { sessionId, key } of entriesOf(evidence.client ?? [], "answered")) {
      if (sessionId !== null && !known.has(sessionId))
        yield `session ${sessionId} (${key}) was acknowledged and is gone`;
    }
  },
};

const existingWasAsked: Invariant = {
  number: "1",
  name: "every existing session was asked for",
  needs: ["client"],
  *check(evidence) {
    const asked = new Set(entriesOf(evidence.client ?? [], "asked").map(({ key }) => key));
    for (const { id, call } of sessionsOf(evidence)) {
      if (call === null || !asked.has(call)) yield `session ${id} exists, and nobody asked for it`;
    }
  },
};

const deliveredExists: Invariant = {
  number: "1",
  name: "every attempt that reached an agent exists, with its token",
  needs: ["effects"],
  *check({ db, effects }) {
    const rows = db.all<{ task_id: string; n: number; token: string }>("select task_id, n, token from attempts");
    const known = new Set(rows.map(({ task_id, n, token }) => `${task_id}/${n}/${token}`));
    for (const { task, attempt, token, agent } of entriesOf(effects ?? [], "delivery")) {
      if (!known.has(`${task}/${attempt}/${token}`))
        yield `${agent} was sent attempt ${attempt} of ${task}, which is gone`;
    }
  },
};

const toldStaysTrue: Invariant = {
  number: "1",
  name: "an end that a client was told, and its result, stay as they were and are right",
  needs: ["client"],
  *check(evidence) {
    const rows = new Map(sessionsOf(evidence).map((row) => [row.id, row]));
    const cancelled = new Set(entriesOf(evidence.client ?? [], "cancelling").map(({ sessionId }) => sessionId));
    for (const told of entriesOf(evidence.client ?? [], "ended")) {
      const { sessionId, status, result, key } = told;
      const mayBeCancelled = status === "cancelled" && cancelled.has(sessionId);
      const wrong = mayBeCancelled ? null : wrongEnd(told);
      if (wrong !== null) yield `session ${sessionId} (${key}) ${wrong}`;
      const row = rows.get(sessionId);
      const isSame = row?.status === status && isDeepStrictEqual(JSON.parse(row.result ?? "null"), result);
      if (row !== undefined && !isSame) {
        yield `session ${sessionId} was told to be ${status}, and is ${row.status} with another result`;
      }
    }
  },
};

function wrongEnd({ status, result, expected, outcome = "completed" }: Ended): string | null {
  if (status !== outcome) return `ended ${status}`;
  if (status !== "completed" || isDeepStrictEqual(result, expected)) return null;
  return `has the result ${JSON.stringify(result)}, right is ${JSON.stringify(expected)}`;
}

const cancelDecides: Invariant = {
  number: "4",
  name: "a session is cancelled where that was answered 200, and only there",
  needs: ["client"],
  *check(evidence) {
    const client = evidence.client ?? [];
    const agreed = new Map(entriesOf(client, "cancelled").map(({ sessionId, status }) => [sessionId, status]));
    const asked = new Set(entriesOf(client, "cancelling").map(({ sessionId }) => sessionId));
    for (const { id, status } of sessionsOf(evidence)) {
      const answer = agreed.get(id);
      if (status === "cancelled" && !asked.has(id)) yield `session ${id} is cancelled, and nobody asked for it`;
      if (answer === 200 && status !== "cancelled")
        yield `the cancel of session ${id} was answered 200, it is ${status}`;
      if (answer === 409 && status === "cancelled") yield `the cancel of session ${id} was refused, it is cancelled`;
      if (answer !== undefined && answer !== 200 && answer !== 409)
        yield `the cancel of session ${id} was answered ${answer}`;
    }
  },
};

const nothingVanishes: Invariant = {
  number: "2",
  name: "accepted = completed + failed + cancelled, each failed one with a reason",
  needs: [],
  *check({ db, isDrained }) {
    for (const [noun, table] of [
      ["session", "sessions"],
      ["task", "tasks"],
    ] as const) {
      for (const { id, status } of db.all<{ id: string; status: string }>(
        `select id, status from ${table} where status in ('failed', 'cancelled') and error is null`,
      )) {
        yield `${noun} ${id} is ${status}, and nothing says why`;
      }
      if (!isDrained) continue;
      for (const { id, status } of db.all<{ id: string; status: string }>(
        `select id, status from ${table} where ended_at is null`,
      )) {
        yield `${noun} ${id} is still ${status}`;
      }
    }
  },
};

const completedWasDelivered: Invariant = {
  number: "3",
  name: "every completed task was delivered",
  needs: ["effects"],
  *check({ db, effects }) {
    const delivered = new Set(entriesOf(effects ?? [], "delivery").map(({ task }) => task));
    for (const id of db.texts("select id from tasks where status = 'completed'")) {
      if (!delivered.has(id)) yield `task ${id} is completed, and no agent ever had it`;
    }
  },
};

const unknownResolves: Invariant = {
  number: "4",
  name: "a call happened once or not at all, and every answer to its key agrees",
  needs: ["client"],
  *check(evidence) {
    const client = evidence.client ?? [];
    const rows = groupBy(sessionsOf(evidence), ({ call }) => call);
    const answers = groupBy(entriesOf(client, "answered"), ({ key }) => key);
    for (const key of new Set(entriesOf(client, "asked").map((entry) => entry.key))) {
      const made = rows.get(key)?.map(({ id }) => id) ?? [];
      const told = new Set(answers.get(key)?.flatMap(({ sessionId }) => sessionId ?? []));
      if (made.length > 1) yield `key ${key} made ${made.length} sessions: ${made.join(", ")}`;
      if (told.size > 1) yield `key ${key} was answered with ${told.size} sessions: ${[...told].join(", ")}`;
      if (told.size === 0 && evidence.isDrained) yield `key ${key} was never answered`;
    }
  },
};

const keysAreDistinct: Invariant = {
  number: "8",
  name: "no two keys share a session",
  needs: ["client"],
  *check({ client }) {
    const answered = entriesOf(client ?? [], "answered").filter(({ sessionId }) => sessionId !== null);
    for (const [sessionId, answers] of groupBy(answered, (entry) => entry.sessionId)) {
      const keys = new Set(answers.map(({ key }) => key));
      if (keys.size > 1) yield `session ${sessionId} was the answer to ${[...keys].join(" and ")}`;
    }
  },
};

const noDefect: Invariant = {
  number: "5xx",
  name: "no call met a defect of the server, or was refused without a cause",
  needs: ["client"],
  *check({ client }) {
    const odd = entriesOf(client ?? [], "answered").filter(({ status }) => status !== 202 && status !== 503);
    for (const { key, status } of odd) yield `the start ${key} was answered ${status}`;
  },
};

/** Nothing is lost, nothing appears, and what was said stays true. */
export const CONSERVATION: readonly Invariant[] = [
  acknowledgedExists,
  existingWasAsked,
  deliveredExists,
  toldStaysTrue,
  nothingVanishes,
  completedWasDelivered,
  unknownResolves,
  cancelDecides,
  keysAreDistinct,
  noDefect,
];

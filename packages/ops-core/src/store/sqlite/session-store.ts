import type { Blocked } from "../../domain/blocked.ts";
import type { SessionFilter, SessionRecord } from "../../domain/sessions/session.ts";
import { WAITING_REASONS } from "../../domain/sessions/waiting.ts";
import type { SessionStore } from "../../domain/store.ts";
import { blockedBy, type LaneColumns, storedBlock, TASKS } from "./blocked.ts";
import { forkSession } from "./forks.ts";
import { once } from "./idempotency.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import { pauseSession, resumeSession } from "./pausing.ts";
import { type SessionRow, toSessionRecord } from "./session-row.ts";
import { cancelSession, labelSession, startSession } from "./sessions.ts";
import { signalSession } from "./signals.ts";
import { stepRows, toStep } from "./steps.ts";
import type { SqliteContext } from "./store.ts";
import type { TaskColumns } from "./task-row.ts";
import { stoppingOf } from "./undoing.ts";
import { waitingFor, waitingOf } from "./waiting-steps.ts";

interface LargeInput {
  readonly large: string | null;
}

const SESSIONS = `select s.*, l.input as large from sessions s
  left join large_inputs l on s.large_input = 1 and l.session_id = s.id`;

export function sessionStore({ db, writer, clock, tx: { recent, plans } }: SqliteContext): SessionStore {
  const blocked = (row: Readonly<SessionRow>): Blocked | null => {
    // Why it is paused says its row.
    if (row.ended_at !== null || row.pause !== null) return null;
    const stopping = stoppingOf(db, row);
    if (stopping !== null) return stopping;
    const task = db.get<TaskColumns & LaneColumns>(
      `${TASKS} where t.session_id = ? and t.status = 'pending' order by t.order_key limit 1`,
      row.id,
    );
    return task === undefined ? waitingOf(db, plans, row) : storedBlock(task, clock.now());
  };
  const uncertain = (row: Readonly<SessionRow>): string[] => {
    // Steps are left in doubt only where something failed, was undone or was cancelled.
    if (row.failed_steps === "[]" && row.undo_total === null && row.status !== "cancelled") return [];
    const sql = "select step from session_steps where session_id = ? and status = 'uncertain' order by step";
    const { steps } = plans.get(db, row.plan_hash);
    return db.all<{ step: number }>(sql, row.id).flatMap(({ step }) => steps[step]?.id ?? []);
  };
  const record = (row: Readonly<SessionRow>, large: string | null = null): SessionRecord =>
    toSessionRecord(row, blocked(row), large ?? row.input, uncertain(row));
  return {
    start: (start) =>
      writer.submit("intake", (tx) => {
        const { value, replayed } = once(tx, start.idempotency, () => startSession(tx, start));
        return { session: value, replayed };
      }),
    fork: (fork, idempotency) =>
      writer.submit("intake", (tx) => {
        const { value, replayed } = once(tx, idempotency, () => forkSession(tx, fork));
        return { session: value, replayed };
      }),
    pause: (sessionId, by, reason) => writer.submit("normal", (tx) => pauseSession(tx, sessionId, by, reason)),
    resume: (sessionId, by) => writer.submit("normal", (tx) => resumeSession(tx, sessionId, by)),
    cancel: (sessionId, reason) => writer.submit("normal", (tx) => cancelSession(tx, sessionId, reason)),
    label: (sessionId, labels) => writer.submit("normal", (tx) => labelSession(tx, sessionId, labels)),
    signal: ({ sessionId, name, payload, idempotency }) =>
      writer.submit("normal", (tx) => {
        const { value, replayed } = once(tx, idempotency, () => signalSession(tx, sessionId, name, payload));
        return { delivered: value.delivered, replayed };
      }),
    get: async (sessionId) => {
      const known = recent.session(sessionId);
      if (known?.large_input === 0) return record(known);
      const row = db.get<SessionRow & LargeInput>(`${SESSIONS} where s.id = ?`, sessionId);
      return row === undefined ? null : record(row, row.large);
    },
    status: async (sessionId) =>
      recent.session(sessionId)?.status ??
      db.get<Pick<SessionRow, "status">>("select status from sessions where id = ?", sessionId)?.status ??
      null,
    steps: async (sessionId) => stepRows(db, sessionId).map(toStep),
    list: async (page, filter) => {
      const where = conditions(filter, clock.now());
      if (page.cursor !== undefined) where.add("s.id < ?", ...decodeCursor(page.cursor, 1));
      const rows = db.all<SessionRow & LargeInput>(
        `${SESSIONS} ${where.sql} order by s.id desc limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(
        rows,
        page,
        (row) => record(row, row.large),
        (row) => [row.id],
      );
    },
  };
}

function conditions(filter: SessionFilter, now: number): Where {
  const where = new Where();
  if (filter.status !== undefined) where.add("s.status = ?", filter.status);
  if (filter.workflow !== undefined) where.add("s.workflow_id = ?", filter.workflow);
  if (filter.agent !== undefined) {
    where.add(
      "(s.agent_id = ? or exists (select 1 from tasks t where t.session_id = s.id and t.agent_id = ?))",
      filter.agent,
      filter.agent,
    );
  }
  if (filter.label !== undefined) {
    where.add(
      "exists (select 1 from session_labels l where l.key = ? and l.value = ? and l.session_id = s.id)",
      filter.label.key,
      filter.label.value,
    );
  }
  if (filter.since !== undefined) where.add("s.created_at >= ?", filter.since);
  if (filter.until !== undefined) where.add("s.created_at < ?", filter.until);
  if (filter.parent !== undefined) where.add("s.parent_id = ?", filter.parent);
  const waiting = WAITING_REASONS.find((reason) => reason === filter.blockedReason);
  if (filter.blockedReason === "waiting_for_stop") where.add("s.undo_total = 0 and s.ended_at is null");
  else if (filter.blockedReason === "session_paused") where.add("s.status = 'paused'");
  else if (waiting !== undefined) where.add(`s.status <> 'paused' and ${waitingFor(waiting)}`);
  else if (filter.blockedReason !== undefined) {
    const { sql, values } = blockedBy(filter.blockedReason, now);
    where.add(
      `s.ended_at is null and exists (select 1 from tasks t left join lanes l on l.lane = t.lane
        left join lanes k on k.lane = t.limits
        where t.session_id = s.id and ${sql})`,
      ...values,
    );
  }
  return where;
}

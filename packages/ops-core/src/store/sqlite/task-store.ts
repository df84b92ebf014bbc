import { OpspawnError } from "@opspawn/contract";
import { keepsLease } from "../../domain/agents/claimable.ts";
import { leaseLost } from "../../domain/cancellations/lease-lost.ts";
import type { AttemptStore, TaskStore } from "../../domain/store.ts";
import {
  type AttemptRecord,
  type Evidence,
  type TaskError,
  type TaskFilter,
  type TaskRecord,
  toolOf,
} from "../../domain/tasks/task.ts";
import { renewLease } from "./agent-lease.ts";
import { blockedBy, explainTask, type LaneColumns, storedBlock, TASKS } from "./blocked.ts";
import { noticeByToken, tellByToken } from "./cancellations.ts";
import { countMessage } from "./claim.ts";
import { claimLanes } from "./dispatch.ts";
import { isOpen } from "./ending.ts";
import { type Due, expire, findDue } from "./expiry.ts";
import { isDeaf, markJudged } from "./gap.ts";
import { once } from "./idempotency.ts";
import { cancelAlone, createTask, redriveTask } from "./lone-tasks.ts";
import { findByToken, observe, settle } from "./outcomes.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import { acknowledge, adopt, broken, undelivered } from "./sender.ts";
import type { SqliteContext } from "./store.ts";
import { type AttemptRow, changeAttempt, type TaskColumns, taskEvent, toTaskRecord } from "./task-row.ts";
import type { Tx } from "./tx.ts";
import { waitingLanes } from "./waiting.ts";

export function taskStore({ db, writer, clock, read }: SqliteContext): TaskStore {
  const record = (row: TaskColumns & LaneColumns): TaskRecord => toTaskRecord(row, storedBlock(row, clock.now()));
  return {
    get: async (taskId) => {
      const row = db.get<TaskColumns & LaneColumns>(`${TASKS} where t.id = ?`, taskId);
      return row === undefined ? null : record(row);
    },
    attempts: async (taskId) => {
      const task = db.get<{ lane: string }>("select lane from tasks where id = ?", taskId);
      const tool = toolOf(task?.lane ?? "");
      const rows = db.all<AttemptRow>("select * from attempts where task_id = ? order by n", taskId);
      return rows.map((row) => toAttempt(row, tool));
    },
    list: async (page, filter) => {
      const where = conditions(filter, clock.now());
      if (page.cursor !== undefined) where.add("t.id < ?", ...decodeCursor(page.cursor, 1));
      const rows = db.all<TaskColumns & LaneColumns>(
        `${TASKS} ${where.sql} order by t.id desc limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(rows, page, record, (row) => [row.id]);
    },
    create: (task) =>
      writer.submit("intake", (tx) => {
        const { value, replayed } = once(tx, task.idempotency, () => toTaskRecord(createTask(tx, task), null));
        return { task: value, replayed };
      }),
    redrive: (sourceId, taskId, idempotency) =>
      writer.submit("intake", (tx) => {
        const redriven = () => toTaskRecord(redriveTask(tx, sourceId, taskId), null);
        const { value, replayed } = once(tx, idempotency, redriven);
        return { task: value, replayed };
      }),
    cancel: (taskId, reason) => writer.submit("normal", (tx) => toTaskRecord(cancelAlone(tx, taskId, reason), null)),
    why: async (taskId) => read((tx) => explainTask(tx, taskId)),
    claimLanes: (max, lanes) => writer.submit("normal", (tx) => claimLanes(tx, max, lanes ?? waitingLanes(tx))),
  };
}

function conditions(filter: TaskFilter, now: number): Where {
  const where = new Where();
  if (filter.status !== undefined) where.add("t.status = ?", filter.status);
  if (filter.session !== undefined) where.add("t.session_id = ?", filter.session);
  if (filter.agent !== undefined) where.add("t.agent_id = ?", filter.agent);
  if (filter.deadLetter === true) where.add("t.dead_letter is not null");
  if (filter.capability !== undefined) where.add("t.lane = ?", `capability:${filter.capability}`);
  if (filter.redriven === false) {
    where.add(`not exists (select 1 from tasks r where r.redrive_of = t.id)
      and not exists (select 1 from sessions f where f.forked_from = t.session_id)`);
  }
  if (filter.blockedReason !== undefined) {
    const { sql, values } = blockedBy(filter.blockedReason, now);
    where.add(sql, ...values);
  }
  return where;
}

export function attemptStore({ db, writer, clock, tx: context }: SqliteContext): AttemptStore {
  return {
    settle: (taskId, token, outcome) => writer.submit("outcome", (tx) => settle(tx, taskId, token, outcome)),
    observe: (sender, outcome) => writer.submit("outcome", (tx) => observe(tx, sender, outcome)),
    acknowledge: (sender) => writer.submit("outcome", (tx) => acknowledge(tx, sender)),
    broken: (sender, error, answered) => writer.submit("outcome", (tx) => broken(tx, sender, error, answered)),
    undelivered: (sender, error) => writer.submit("outcome", (tx) => undelivered(tx, sender, error)),
    extendLease: async (taskId, token, resend = false) => {
      const answer = await writer.submit("outcome", (tx) => extendLease(tx, taskId, token, resend));
      if (answer instanceof OpspawnError) throw answer;
      return answer;
    },
    adopt: (max, sending) => writer.submit("normal", (tx) => adopt(tx, max, sending)),
    expire: async (max) => {
      if (isDeaf(db, clock.now())) await writer.submit("outcome", markJudged);
      const due = findDue(db, context.agents.all(), clock.now(), max);
      await Promise.all(due.map((item: Due) => writer.submit("expiry", (tx) => expire(tx, item))));
      return due.length;
    },
  };
}

/** An error that is returned, not thrown: what is written with it stays. */
function extendLease(tx: Tx, taskId: string, token: string, resend: boolean): { leaseUntil: number } | OpspawnError {
  const { task, attempt } = findByToken(tx, taskId, token);
  const agent = attempt.agent_id === null ? undefined : tx.context.agents.get(attempt.agent_id);
  if (!isOpen(attempt) || agent === undefined) {
    // A gateway asks for an agent that gives no signs of life; what it hears does not reach the agent.
    const isAgent = !resend && agent !== undefined && keepsLease(agent);
    const notice = isAgent ? tellByToken(tx, task, attempt) : noticeByToken(tx, task, attempt);
    return leaseLost(`Attempt ${attempt.n} of ${taskId} is ${attempt.status}.`, notice);
  }
  if (resend) countMessage(tx, agent);
  if (attempt.status !== "acknowledged") {
    changeAttempt(tx, task, attempt, { status: "acknowledged", acknowledged_at: tx.now });
    taskEvent(tx, task, "attempt.acknowledged", { number: attempt.n, agentId: agent.id });
  }
  return { leaseUntil: keepsLease(agent) ? Math.min(renewLease(tx, agent), attempt.timeout_at) : attempt.timeout_at };
}

/** @param tool that the task is a call of */
function toAttempt(row: AttemptRow, tool: string | null): AttemptRecord {
  return {
    number: row.n,
    agentId: row.agent_id,
    tool: row.agent_id === null ? tool : null,
    status: row.status,
    counted: row.counted === 1,
    sends: row.sends,
    createdAt: row.created_at,
    acknowledgedAt: row.acknowledged_at,
    endedAt: row.ended_at,
    evidence: row.evidence as Evidence | null,
    error: row.error === null ? null : (JSON.parse(row.error) as TaskError),
  };
}

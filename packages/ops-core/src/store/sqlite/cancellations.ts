import type { JsonObject } from "@opspawn/contract";
import { takesCancelMessages } from "../../domain/agents/agent.ts";
import { keepsLease } from "../../domain/agents/claimable.ts";
import type {
  CancelChannel,
  CancelEvidence,
  CancelledAttempt,
  CancelMessage,
  CancelNotice,
  CancelReceipt,
} from "../../domain/cancellations/cancellation.ts";
import { ACKNOWLEDGE_WITHIN, DELIVER_WITHIN, stopBy } from "../../domain/cancellations/deadlines.ts";
import {
  type CancellationEvent,
  type CancellationStage,
  cancellationTable,
  isOpenStage,
} from "../../domain/cancellations/transitions.ts";
import { readStored } from "../../domain/stored-json.ts";
import { type AttemptOutcome, capabilityOf, toolOf } from "../../domain/tasks/task.ts";
import { nextState } from "../../domain/transition-table.ts";
import type { AgentEntry } from "./agent-index.ts";
import { type CancellationRow, cancellationOf, toNotice } from "./cancellation-row.ts";
import { enqueueDelivery } from "./deliveries.ts";
import { releaseDrained } from "./slots.ts";
import { type AttemptRow, attemptFacts, loadAttempt, loadTask, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** What a poll tells at once; the rest is told by the next ones. */
const TOLD_AT_ONCE = 100;

/** Whom a cancellation is told, and how. */
interface Addressee {
  readonly agent: AgentEntry | null;
  readonly tool: string | null;
  readonly channel: CancelChannel;
}

/**
 * An attempt is cancelled that somebody may be at: from now on it is waited for what they say.
 * @param until when its slot is given up, whatever they say
 */
export function requestCancellation(tx: Tx, task: TaskRow, attempt: AttemptRow, reason: string, until: number): void {
  const addressee = addresseeOf(tx, task, attempt);
  // An agent that is gone has nothing any more.
  if (addressee === null) return;
  const { agent, tool, channel } = addressee;
  const id = `can_${tx.context.ids.uuid()}`;
  const wakeAt = channel === "none" ? until : tx.now + DELIVER_WITHIN;
  const deliveryId = channel === "message" ? `dlv_${tx.context.ids.uuid()}` : null;
  tx.run(
    `insert into cancellations (id, task_id, n, session_id, step_id, agent_id, agent_name, tool, channel, delivery_id,
      reason, stage, requested_at, timeout_at, wake_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'requested', ?, ?, ?)`,
    id,
    task.id,
    attempt.n,
    task.session_id,
    task.step_id,
    agent?.id ?? null,
    agent?.name ?? null,
    tool,
    channel,
    deliveryId,
    reason,
    tx.now,
    attempt.timeout_at,
    wakeAt,
  );
  taskEvent(tx, task, "cancellation.requested", {
    cancellationId: id,
    ...attemptFacts(task, attempt),
    channel,
    reason,
  });
  if (agent === null) return;
  tx.context.agents.cancelling.add(agent.id);
  // One that waits for work is told now.
  if (channel === "answer") tx.hints.lanes.add(`agent:${agent.id}`);
  if (deliveryId !== null && agent.endpoint !== null) {
    const body: CancelMessage = {
      cancellationId: id,
      taskId: task.id,
      token: attempt.token,
      attempt: attempt.n,
      taskName: task.name,
      sessionId: task.session_id,
      capability: capabilityOf(task.lane),
      reason,
      requestedAt: tx.now,
      deadline: stopBy(tx.now, attempt.timeout_at),
    };
    enqueueDelivery(tx, {
      id: deliveryId,
      kind: "message",
      url: agent.endpoint,
      headers: {},
      body: JSON.stringify(body),
      // It waits for no other message.
      aggregate: id,
      agentId: agent.id,
      sessionId: task.session_id,
      cancellationId: id,
    });
  }
}

function addresseeOf(tx: Tx, task: TaskRow, attempt: AttemptRow): Addressee | null {
  if (attempt.agent_id === null) return { agent: null, tool: toolOf(task.lane), channel: "none" };
  const agent = tx.context.agents.get(attempt.agent_id);
  if (agent === undefined) return null;
  return { agent, tool: null, channel: channelOf(tx, agent) };
}

function channelOf(tx: Tx, agent: AgentEntry): CancelChannel {
  if (agent.channel === "pull") return "answer";
  const row = tx.get<{ metadata: string | null }>("select metadata from agents where id = ?", agent.id);
  const metadata = readStored(row?.metadata ?? null) as JsonObject | null;
  if (agent.endpoint !== null && takesCancelMessages(metadata)) return "message";
  return keepsLease(agent) ? "answer" : "none";
}

/** The open cancellation of an attempt is told in the answer to a call under its token. Null when there is none at all. */
export function tellByToken(tx: Tx, task: TaskRow, attempt: AttemptRow): CancelNotice | null {
  const row = cancellationOf(tx, task.id, attempt.n);
  return row === undefined ? null : toNotice(move(tx, row, "deliver", {}));
}

/** As `tellByToken`, for one who asks and is not the agent. */
export function noticeByToken(tx: Tx, task: TaskRow, attempt: AttemptRow): CancelNotice | null {
  const row = cancellationOf(tx, task.id, attempt.n);
  return row === undefined ? null : toNotice(row);
}

/** What an agent that asks for work is told. `isNews`: some of it for the first time. */
export function tellAgent(tx: Tx, agentId: string): { told: CancelledAttempt[]; isNews: boolean } {
  const rows = tx.all<CancellationRow>(
    "select * from cancellations where agent_id = ? and wake_at is not null order by requested_at limit ?",
    agentId,
    TOLD_AT_ONCE,
  );
  if (rows.length === 0) tx.context.agents.cancelling.delete(agentId);
  let isNews = false;
  const told: CancelledAttempt[] = [];
  for (const row of rows) {
    // Who has said that it heard of it need not be told again.
    if (row.stage === "acknowledged") continue;
    if (row.stage === "requested") isNews = true;
    move(tx, row, "deliver", {});
    const { task_id: taskId, id: cancellationId, reason } = row;
    told.push({ taskId, token: tokenOf(tx, row), cancellationId, reason });
  }
  return { told, isNews };
}

function tokenOf(tx: Tx, row: CancellationRow): string {
  const task = loadTask(tx, row.task_id);
  const attempt = task === undefined ? undefined : loadAttempt(tx, task, row.n);
  if (attempt === undefined) throw new Error(`cancellation ${row.id} is that of no attempt`);
  return attempt.token;
}

/** What the message was answered: it has arrived at least. */
export function messageArrived(tx: Tx, id: string, receipt: CancelReceipt | null): void {
  const row = byId(tx, id);
  if (row === undefined) return;
  const delivered = move(tx, row, "deliver", {});
  if (receipt !== null) confirm(tx, delivered, receipt, "answer");
}

/** The message cannot be delivered, and is not tried again. */
export function messageGivenUp(tx: Tx, id: string, error: string): void {
  const row = byId(tx, id);
  if (row?.stage === "requested") move(tx, row, "give_up", { note: error });
}

const CONFIRMS = {
  acknowledged: "acknowledge",
  stopped: "stop",
  refused: "refuse",
} as const satisfies Record<CancelReceipt["status"], CancellationEvent>;

/** The agent's word. What says less than is known already changes nothing. */
export function confirm(
  tx: Tx,
  row: CancellationRow,
  { status, note }: CancelReceipt,
  evidence: CancelEvidence = "receipt",
): CancellationRow {
  return move(tx, row, CONFIRMS[status], { evidence, ...(note === null ? {} : { note }) });
}

/** An outcome that came too late shows that the agent is done with it; a result, that the work was done nonetheless. */
export function noteLateOutcome(tx: Tx, task: TaskRow, attempt: AttemptRow, outcome: AttemptOutcome): void {
  const row = cancellationOf(tx, task.id, attempt.n);
  // What nobody but us found out says nothing of the agent.
  if (row === undefined || outcome.evidence === null) return;
  move(tx, row, outcome.type === "succeeded" ? "finish" : "stop", { evidence: "result" });
}

/** The agent is known to have nothing of ours any more, or there is nobody left who could say so. */
export function settleCancellations(tx: Tx, agentId: string, by: "idle" | "restart" | "gone"): void {
  if (!tx.context.agents.cancelling.has(agentId)) return;
  const rows = tx.all<CancellationRow>(
    "select * from cancellations where agent_id = ? and wake_at is not null order by requested_at",
    agentId,
  );
  for (const row of rows) {
    if (by === "gone") move(tx, row, "give_up", { note: "The agent was deregistered." });
    else move(tx, row, "stop", { evidence: by });
  }
  tx.context.agents.cancelling.delete(agentId);
}

const NOT_TOLD = {
  agent: "The agent takes no cancel messages.",
  tool: "A tool takes no cancel messages.",
} as const;
const STUCK = {
  requested: "The agent could not be told in time.",
  delivered: "The agent was told, and did not answer in time.",
  acknowledged: "The agent said that it would stop, and did not say that it has.",
} as const;

/** The time of a stage has passed. */
export function expireCancellation(tx: Tx, id: string): void {
  const row = byId(tx, id);
  if (row === undefined || row.wake_at === null || row.wake_at > tx.now || !isOpenStage(row.stage)) return;
  const isTold = row.channel !== "none" || row.delivered_at !== null;
  const note = isTold ? STUCK[row.stage] : NOT_TOLD[row.tool === null ? "agent" : "tool"];
  move(tx, row, "give_up", { note });
}

function byId(tx: Tx, id: string): CancellationRow | undefined {
  return tx.get<CancellationRow>("select * from cancellations where id = ?", id);
}

interface Facts {
  readonly evidence?: CancelEvidence;
  readonly note?: string;
}

/** Applies what happened to a cancellation; the row as it is then, unchanged where the table has no such transition. */
function move(tx: Tx, row: CancellationRow, event: CancellationEvent, facts: Facts): CancellationRow {
  const stage = nextState(cancellationTable, row.stage, event);
  if (stage === null) return row;
  const after = moved(row, event, stage, facts, tx.now);
  tx.run(
    `update cancellations set stage = ?, delivered_at = ?, acknowledged_at = ?, ended_at = ?, stuck_at = ?, evidence = ?,
      note = ?, wake_at = ? where id = ? and stage = ?`,
    after.stage,
    after.delivered_at,
    after.acknowledged_at,
    after.ended_at,
    after.stuck_at,
    after.evidence,
    after.note,
    after.wake_at,
    row.id,
    row.stage,
  );
  tell(tx, after);
  if (row.wake_at !== null && after.wake_at === null) ended(tx, after);
  return after;
}

function moved(
  row: CancellationRow,
  event: CancellationEvent,
  stage: CancellationStage,
  { evidence, note }: Facts,
  now: number,
): CancellationRow {
  const isWord = evidence === "receipt" || evidence === "answer" || event === "deliver";
  return {
    ...row,
    stage,
    delivered_at: row.delivered_at ?? (isWord ? now : null),
    acknowledged_at: row.acknowledged_at ?? (event === "acknowledge" ? now : null),
    ended_at: isOpenStage(stage) ? null : (row.ended_at ?? now),
    stuck_at: event === "give_up" && isOpenStage(row.stage) ? row.stage : row.stuck_at,
    // Of an acknowledgement nothing is proved yet.
    evidence: isOpenStage(stage) ? null : (evidence ?? row.evidence),
    note: note ?? row.note,
    wake_at: wakeAt(row, stage, now),
  };
}

function wakeAt(row: CancellationRow, stage: CancellationStage, now: number): number | null {
  if (stage === "delivered") return now + ACKNOWLEDGE_WITHIN;
  return stage === "acknowledged" ? stopBy(now, row.timeout_at) : null;
}

function tell(tx: Tx, row: CancellationRow): void {
  const task = loadTask(tx, row.task_id);
  const attempt = task === undefined ? undefined : loadAttempt(tx, task, row.n);
  if (task === undefined || attempt === undefined) return;
  const data: JsonObject = { cancellationId: row.id, ...attemptFacts(task, attempt) };
  if (row.evidence !== null) data.evidence = row.evidence;
  if (row.stage === "unreachable") data.stuckAt = row.stuck_at;
  if (row.note !== null) data.note = row.note;
  taskEvent(tx, task, `cancellation.${row.stage}`, data);
  // Whoever is known to have stopped is free.
  if (row.stage === "stopped" || row.stage === "finished") {
    releaseDrained(tx, tx.context.agents.doer(task.lane, attempt.agent_id), attempt);
  }
}

/** Nothing more is waited for: whoever waits for that may go on, and what has not been sent yet is of no use. */
function ended(tx: Tx, { session_id, delivery_id }: CancellationRow): void {
  if (session_id !== null) tx.freed = (tx.freed ?? new Set()).add(session_id);
  if (delivery_id === null) return;
  tx.run(
    `update deliveries set status = 'failed', ended_at = ?, wake_at = null, last_error = ?
      where id = ? and status = 'pending'`,
    tx.now,
    "The cancellation ended before this had arrived.",
    delivery_id,
  );
  tx.hints.deliveries = true;
}

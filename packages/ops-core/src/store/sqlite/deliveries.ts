import { formatTime, stringifyJson } from "@opspawn/contract";
import type { Agent } from "../../domain/agents/agent.ts";
import type { Delivery, DeliveryKind, DeliveryRecord, NewDelivery } from "../../domain/deliveries/delivery.ts";
import type { DeliveryStatus } from "../../domain/deliveries/transitions.ts";
import { readStored } from "../../domain/stored-json.ts";
import { countMessage } from "./claim.ts";
import type { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";

export interface DeliveryRow {
  id: string;
  kind: DeliveryKind;
  url: string;
  headers: string;
  body: string;
  endpoint: string;
  aggregate: string;
  agent_id: string | null;
  session_id: string | null;
  status: DeliveryStatus;
  attempts: number;
  created_at: number;
  ended_at: number | null;
  last_error: string | null;
  wake_at: number | null;
  cancellation_id: string | null;
}

export function enqueueDelivery(tx: Tx, delivery: NewDelivery): void {
  const { agentId, kind } = delivery;
  const isMessage = agentId !== null && (kind === "message" || kind === "task");
  const agent = isMessage ? tx.context.agents.get(agentId) : undefined;
  // Its author wrote down where the agent was a moment ago.
  const url = agent?.endpoint ?? delivery.url;
  const refused = isMessage && typeof agent?.endpoint !== "string" ? nowhere(agent) : null;
  tx.run(
    `insert into deliveries (id, kind, url, headers, body, endpoint, aggregate, agent_id, session_id, status, attempts,
      created_at, ended_at, wake_at, last_error, cancellation_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)`,
    delivery.id,
    kind,
    url,
    JSON.stringify(delivery.headers),
    delivery.body,
    new URL(url).origin,
    delivery.aggregate,
    agentId,
    delivery.sessionId,
    refused === null ? "pending" : "failed",
    tx.now,
    refused === null ? null : tx.now,
    refused === null ? tx.now : null,
    refused,
    delivery.cancellationId ?? null,
  );
  tx.hints.deliveries = true;
  // Any message to an agent may make it report states that are not about its task.
  if (agent !== undefined) countMessage(tx, agent);
}

/** Why a message has nowhere to go. */
function nowhere(agent: object | undefined): string {
  return agent === undefined ? "The agent was deregistered." : "The agent has no endpoint any more.";
}

/**
 * Messages that wait for an agent go where it is now, at once, or nowhere. Call it before it changes.
 * @param agent as it will be; undefined when it will be gone
 */
export function redirectMessages(tx: Tx, agentId: string, agent: Pick<Agent, "endpoint"> | undefined): void {
  const known = tx.get<{ endpoint: string | null }>("select endpoint from agents where id = ?", agentId);
  const url = agent?.endpoint ?? null;
  if (known === undefined || known.endpoint === null || known.endpoint === url) return;
  const waiting = "where endpoint = ? and agent_id = ? and kind in ('message', 'task') and status = 'pending'";
  const from = new URL(known.endpoint).origin;
  if (url === null) {
    const given = "update deliveries set status = 'failed', ended_at = ?, wake_at = null, last_error = ?";
    tx.run(`${given} ${waiting}`, tx.now, nowhere(agent), from, agentId);
  } else {
    const sent = "update deliveries set url = ?, endpoint = ?, wake_at = ?";
    tx.run(`${sent} ${waiting}`, url, new URL(url).origin, tx.now, from, agentId);
  }
  tx.hints.deliveries = true;
}

/** The one webhook a session sends at its end, in the transaction that ends it. */
export function enqueueSessionWebhook(tx: Tx, session: SessionUnit): void {
  const { row } = session;
  if (row.callback_url === null) return;
  const id = `dlv_${tx.context.ids.uuid()}`;
  const body = stringifyJson({
    type: `session.${row.status}`,
    timestamp: formatTime(tx.now),
    data: {
      sessionId: row.id,
      workflowId: row.workflow_id,
      workflowVersion: row.workflow_version,
      status: row.status,
      labels: JSON.parse(row.labels) as Record<string, string>,
      result: readStored(row.result),
      error: readStored(row.error),
    },
  });
  enqueueDelivery(tx, {
    id,
    kind: "webhook",
    url: row.callback_url,
    headers: {},
    body,
    aggregate: row.id,
    agentId: null,
    sessionId: row.id,
  });
}

/** Those that go before a delivery `d`: of each (endpoint, aggregate) only the oldest may, so that messages arrive in order. */
const BEHIND = `from deliveries e where e.endpoint = d.endpoint and e.aggregate = d.aggregate and e.status = 'pending'
  and e.id < d.id`;

export const DUE_DELIVERIES = `select * from deliveries d where d.wake_at <= ?
  and d.kind in (select value from json_each(?)) and d.id not in (select value from json_each(?))
  and not exists (select 1 ${BEHIND}) order by d.wake_at limit ?`;

export function deliveryArrived(tx: Tx, id: string, attempt: number, follow?: NewDelivery): void {
  const written = tx.run(
    `update deliveries set status = 'delivered', attempts = ?, ended_at = ?, wake_at = null, last_error = null
      where id = ? and status = 'pending' and attempts = ?`,
    attempt,
    tx.now,
    id,
    attempt - 1,
  );
  if (written === 1 && follow !== undefined) enqueueDelivery(tx, follow);
  tx.hints.deliveries = true;
}

/** How a send went wrong, and when the next one is due: null = never. */
export interface FailedSend {
  readonly error: string;
  readonly nextAt: number | null;
  readonly follow?: NewDelivery | undefined;
}

export function deliveryFailed(tx: Tx, id: string, attempt: number, { error, nextAt, follow }: FailedSend): void {
  const written = tx.run(
    `update deliveries set status = ?, attempts = ?, ended_at = ?, wake_at = ?, last_error = ?
      where id = ? and status = 'pending' and attempts = ?`,
    nextAt === null ? "failed" : "pending",
    attempt,
    nextAt === null ? tx.now : null,
    nextAt,
    error,
    id,
    attempt - 1,
  );
  if (written === 1 && follow !== undefined) enqueueDelivery(tx, follow);
  tx.hints.deliveries = true;
}

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    kind: row.kind,
    url: row.url,
    headers: JSON.parse(row.headers) as Record<string, string>,
    body: row.body,
    aggregate: row.aggregate,
    agentId: row.agent_id,
    sessionId: row.session_id,
    cancellationId: row.cancellation_id,
    status: row.status,
    attempts: row.attempts,
    createdAt: row.created_at,
    nextAt: row.wake_at,
    endedAt: row.ended_at,
    lastError: row.last_error,
  };
}

export interface ListedDelivery extends DeliveryRow {
  behind: string | null;
}

export const DELIVERIES = `select d.*, case when d.status = 'pending' then (select min(e.id) ${BEHIND}) end as behind
  from deliveries d`;

export function toDeliveryRecord(row: ListedDelivery): DeliveryRecord {
  return { ...toDelivery(row), behind: row.behind };
}

/** The condition on deliveries `d` that they wait for this, as `deliveryBlock` says of each. */
export function deliveriesWaitingFor(reason: string, now: number): { sql: string; values: number[] } {
  const first = `d.status = 'pending' and not exists (select 1 ${BEHIND})`;
  switch (reason) {
    case "delivery_behind":
      return { sql: `d.status = 'pending' and exists (select 1 ${BEHIND})`, values: [] };
    case "delivery_backoff":
      return { sql: `${first} and d.wake_at > ?`, values: [now] };
    case "delivery_due":
      return { sql: `${first} and d.wake_at <= ?`, values: [now] };
    default:
      return { sql: "false", values: [] };
  }
}

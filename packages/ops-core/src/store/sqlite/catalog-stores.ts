import type { JsonObject } from "@opspawn/contract";
import type { ApiKey } from "../../domain/auth/key.ts";
import type { DeliveryStore } from "../../domain/deliveries/delivery-store.ts";
import type { EventStore, KeyStore, StoredEvent, WorkflowStore } from "../../domain/store.ts";
import { messageArrived, messageGivenUp } from "./cancellations.ts";
import {
  DELIVERIES,
  type DeliveryRow,
  DUE_DELIVERIES,
  deliveriesWaitingFor,
  deliveryArrived,
  deliveryFailed,
  enqueueDelivery,
  type ListedDelivery,
  toDelivery,
  toDeliveryRecord,
} from "./deliveries.ts";
import { once } from "./idempotency.ts";
import { endPredecessors, hasPredecessors, insertKey, type KeyRow, revokeKey, toKey } from "./keys.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import type { SqliteContext } from "./store.ts";
import { applyWorkflow, findWorkflow, saveDefinition, toWorkflow, WORKFLOWS, type WorkflowRow } from "./workflows.ts";

export function workflowStore({ db, writer, tx: context }: SqliteContext): WorkflowStore {
  return {
    apply: (workflow) => writer.submit("normal", (tx) => applyWorkflow(tx, workflow)),
    snapshot: (hash, document) => writer.submit("normal", (tx) => saveDefinition(tx, hash, document)),
    definition: async (hash) =>
      db.get<{ document: string }>("select document from definitions where hash = ?", hash)?.document ?? null,
    get: async (id, version) => {
      if (version !== undefined) return findWorkflow(db, id, version) ?? null;
      const known = context.plans.current(id);
      if (known !== undefined) return known;
      const workflow = findWorkflow(db, id, null);
      if (workflow !== undefined) context.plans.setCurrent(workflow);
      return workflow ?? null;
    },
    list: async (page) => {
      const where = new Where().add(
        `not exists (select 1 from workflows x where x.id = w.id
          and (x.applied_at, x.version) > (w.applied_at, w.version))`,
      );
      if (page.cursor !== undefined) where.add("w.id > ?", ...decodeCursor(page.cursor, 1));
      const rows = db.all<WorkflowRow>(
        `${WORKFLOWS} ${where.sql} order by w.id limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(rows, page, toWorkflow, (row) => [row.id]);
    },
    versions: async (id, page) => {
      const where = new Where().add("w.id = ?", id);
      if (page.cursor !== undefined) where.add("(w.applied_at, w.version) < (?, ?)", ...decodeCursor(page.cursor, 2));
      const rows = db.all<WorkflowRow>(
        `${WORKFLOWS} ${where.sql} order by w.applied_at desc, w.version desc limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(rows, page, toWorkflow, (row) => [row.applied_at, row.version]);
    },
  };
}

export function deliveryStore({ db, writer, clock }: SqliteContext): DeliveryStore {
  return {
    enqueue: (delivery, idempotency) =>
      writer.submit("intake", (tx) => {
        const { replayed } = once(tx, idempotency, () => {
          enqueueDelivery(tx, delivery);
          return { id: delivery.id };
        });
        return { replayed };
      }),
    due: async (max, kinds, begun = []) =>
      db
        .all<DeliveryRow>(DUE_DELIVERIES, clock.now(), JSON.stringify(kinds), JSON.stringify(begun), max)
        .map(toDelivery),
    delivered: (id, attempt, follow) => writer.submit("outcome", (tx) => deliveryArrived(tx, id, attempt, follow)),
    told: (id, attempt, cancellationId, receipt) =>
      writer.submit("outcome", (tx) => {
        deliveryArrived(tx, id, attempt);
        messageArrived(tx, cancellationId, receipt);
      }),
    untold: (id, attempt, cancellationId, error) =>
      writer.submit("outcome", (tx) => {
        deliveryFailed(tx, id, attempt, { error, nextAt: null });
        messageGivenUp(tx, cancellationId, error);
      }),
    failed: (id, attempt, error, nextAt, follow) =>
      writer.submit("outcome", (tx) => deliveryFailed(tx, id, attempt, { error, nextAt, follow })),
    get: async (id) => {
      const row = db.get<ListedDelivery>(`${DELIVERIES} where d.id = ?`, id);
      return row === undefined ? null : toDeliveryRecord(row);
    },
    list: async (page, filter) => {
      const where = new Where();
      if (filter.status !== undefined) where.add("d.status = ?", filter.status);
      if (filter.agent !== undefined) where.add("d.agent_id = ?", filter.agent);
      if (filter.session !== undefined) where.add("d.session_id = ?", filter.session);
      if (filter.blockedReason !== undefined) addReason(where, filter.blockedReason, clock.now());
      if (page.cursor !== undefined) where.add("d.id < ?", ...decodeCursor(page.cursor, 1));
      const rows = db.all<ListedDelivery>(
        `${DELIVERIES} ${where.sql} order by d.id desc limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(rows, page, toDeliveryRecord, (row) => [row.id]);
    },
    remember: (id, until) =>
      writer.submit("normal", (tx) => {
        return tx.run("insert into replays (id, until) values (?, ?) on conflict (id) do nothing", id, until) === 1;
      }),
  };
}

function addReason(where: Where, reason: string, now: number): void {
  const { sql, values } = deliveriesWaitingFor(reason, now);
  where.add(sql, ...values);
}

export function keyStore({ db, writer }: SqliteContext): KeyStore {
  return {
    create: (key) => writer.submit("normal", (tx) => insertKey(tx, key)),
    used: async (key) => {
      if (hasPredecessors(db, key)) await writer.submit("normal", (tx) => endPredecessors(tx, key));
    },
    revoke: (id) => writer.submit("normal", (tx) => revokeKey(tx, id)),
    get: async (id) => {
      const row = db.get<KeyRow>("select * from keys where id = ?", id);
      return row === undefined ? null : toKey(row);
    },
    list: async (page) => {
      const where = new Where();
      if (page.cursor !== undefined) where.add("(created_at, id) < (?, ?)", ...decodeCursor(page.cursor, 2));
      const rows = db.all<KeyRow>(
        `select * from keys ${where.sql} order by created_at desc, id desc limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage<KeyRow, ApiKey>(rows, page, toKey, (row) => [row.created_at, row.id]);
    },
  };
}

interface EventRow {
  position: number;
  stream: string;
  sequence: number;
  at: number;
  entries: string;
}

/** Begins with the row that may hold the number after `after`, in the middle. */
const ALL_EVENTS = `select * from events where position >=
  coalesce((select max(position) from events where position <= :after), 0) order by position limit :limit`;
const STREAM_EVENTS = `select * from events where stream = :stream and sequence >=
  coalesce((select max(sequence) from events where stream = :stream and sequence <= :after), 0)
  order by sequence limit :limit`;
/** From its end: what lies behind the position is what its reader will be sent next, so no more than that is looked at. */
const SEQUENCE_AT = `select sequence, position, json_array_length(entries) as count from events
  where stream = ? and position <= ? order by sequence desc limit 1`;

export function eventStore({ db }: SqliteContext): EventStore {
  return {
    list: async (after, limit, stream) => {
      // One row more than events asked for: the first may hold none of them.
      const rows =
        stream === undefined
          ? db.all<EventRow>(ALL_EVENTS, { after, limit: limit + 1 })
          : db.all<EventRow>(STREAM_EVENTS, { after, stream, limit: limit + 1 });
      const isAfter = (event: StoredEvent) => (stream === undefined ? event.position : event.sequence) > after;
      const events: StoredEvent[] = [];
      for (const row of rows) if (events.length < limit) events.push(...toEvents(row).filter(isAfter));
      return events.slice(0, limit);
    },
    sequenceAt: async (stream, position) => {
      const row = db.get<{ sequence: number; position: number; count: number }>(SEQUENCE_AT, stream, position);
      return row === undefined ? 0 : row.sequence + Math.min(position - row.position, row.count - 1);
    },
  };
}

function toEvents(row: EventRow): StoredEvent[] {
  const entries = JSON.parse(row.entries) as [string, JsonObject][];
  return entries.map(([type, data], i) => ({
    position: row.position + i,
    stream: row.stream,
    sequence: row.sequence + i,
    type,
    at: row.at,
    data,
  }));
}

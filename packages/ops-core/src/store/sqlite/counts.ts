import { DELIVERY_REASONS } from "../../domain/deliveries/waiting.ts";
import type { CountStore, OpenCount } from "../../domain/metrics/count-store.ts";
import { SCHEDULE_REASONS } from "../../domain/schedules/schedule.ts";
import type { SessionStatus } from "../../domain/sessions/transitions.ts";
import type { WaitingReason } from "../../domain/sessions/waiting.ts";
import { TASKS_BY_REASON } from "./blocked.ts";
import type { Database } from "./database.ts";
import { deliveriesWaitingFor } from "./deliveries.ts";
import { schedulesWaitingFor } from "./schedule-row.ts";
import type { SqliteContext } from "./store.ts";
import { STEPS_BY_REASON } from "./waiting-steps.ts";

/** Counts what is open, each kind in an index of what is: however much has ended costs nothing. */
export function countStore({ db, clock }: SqliteContext): CountStore {
  return {
    open: async () => {
      const counts = [
        ...sessions(db),
        ...steps(db),
        ...tasks(db, clock.now()),
        ...deliveries(db, clock.now()),
        ...approvals(db),
        ...schedules(db),
        ...agents(db),
      ];
      return counts.filter(({ count }) => count > 0);
    },
  };
}

interface Counted {
  readonly count: number;
}

function sessions(db: Database): OpenCount[] {
  const sql = "select status, count(*) as count from sessions where ended_at is null group by status";
  return db.all<{ status: SessionStatus; count: number }>(sql).map(({ status, count }) => {
    return { noun: "sessions", status, reason: status === "paused" ? "session_paused" : "", count };
  });
}

function steps(db: Database): OpenCount[] {
  const waiting = db.all<{ reason: WaitingReason; count: number }>(STEPS_BY_REASON);
  return waiting.map(({ reason, count }) => ({ noun: "steps", status: "waiting", reason, count }));
}

function tasks(db: Database, now: number): OpenCount[] {
  const waiting = db.all<{ reason: string; count: number }>(TASKS_BY_REASON, { now });
  const running = db.get<Counted>("select count(*) as count from tasks where status = 'running'")?.count ?? 0;
  return [
    { noun: "tasks", status: "running", reason: "", count: running },
    ...waiting.map(({ reason, count }): OpenCount => ({ noun: "tasks", status: "pending", reason, count })),
  ];
}

function deliveries(db: Database, now: number): OpenCount[] {
  return DELIVERY_REASONS.map((reason) => {
    const { sql, values } = deliveriesWaitingFor(reason, now);
    const row = db.get<Counted>(`select count(*) as count from deliveries d where ${sql}`, ...values);
    return { noun: "deliveries", status: "pending", reason, count: row?.count ?? 0 };
  });
}

function approvals(db: Database): OpenCount[] {
  const row = db.get<Counted>("select count(*) as count from approvals where status = 'pending'");
  return [{ noun: "approvals", status: "pending", reason: "waiting_for_decision", count: row?.count ?? 0 }];
}

function schedules(db: Database): OpenCount[] {
  return SCHEDULE_REASONS.map((reason) => {
    const sql = `select count(*) as count from schedules where ${schedulesWaitingFor(reason)}`;
    const status = reason === "paused" ? "paused" : "active";
    return { noun: "schedules", status, reason, count: db.get<Counted>(sql)?.count ?? 0 };
  });
}

function agents(db: Database): OpenCount[] {
  const rows = db.all<{ status: string; reason: string; count: number }>(
    `select state as status, health as reason, count(*) as count from agents where removed_at is null
      group by state, health order by state, health`,
  );
  return rows.map((row): OpenCount => ({ noun: "agents", ...row }));
}

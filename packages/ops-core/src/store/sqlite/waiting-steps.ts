import type { Blocked } from "../../domain/blocked.ts";
import { type WaitingReason, waitingBlock } from "../../domain/sessions/waiting.ts";
import type { PlanCache } from "./plan-cache.ts";
import type { SessionRow } from "./session-row.ts";
import type { Tx } from "./tx.ts";

interface WaitingRow {
  readonly step: number;
  readonly wakeAt: number | null;
  readonly signal: string | null;
  readonly startedAt: number | null;
  readonly approvalId: string | null;
}

const FIRST_WAITING = `select w.step, coalesce(w.wake_at, a.expires_at) as wakeAt, w.signal, w.started_at as startedAt,
    a.id as approvalId
  from session_steps w left join approvals a on a.session_id = w.session_id and a.step = w.step
    and a.task_id is null
  where w.session_id = ? and w.status = 'waiting' order by w.started_at, w.step limit 1`;

/** What the step of a session waits for that has waited longest; null when none of them waits. */
export function waitingOf(db: Pick<Tx, "get">, plans: PlanCache, session: SessionRow): Blocked | null {
  if (session.waiting === 0) return null;
  const row = db.get<WaitingRow>(FIRST_WAITING, session.id);
  const step = plans.get(db, session.plan_hash).steps[row?.step ?? -1];
  return row === undefined || step === undefined ? null : waitingBlock(step.id, row);
}

const CONDITIONS: Readonly<Record<WaitingReason, string>> = {
  waiting_for_time: `w.signal is null and not exists (select 1 from approvals a where a.session_id = w.session_id
    and a.step = w.step and a.task_id is null)`,
  waiting_for_signal: "w.signal is not null",
  waiting_for_approval: `exists (select 1 from approvals a where a.session_id = w.session_id and a.step = w.step
    and a.task_id is null)`,
};

/** Waiting steps by what `waitingOf` says of each. */
export const STEPS_BY_REASON = `select case when ${CONDITIONS.waiting_for_signal} then 'waiting_for_signal'
    when ${CONDITIONS.waiting_for_approval} then 'waiting_for_approval' else 'waiting_for_time' end as reason,
    count(*) as count
  from session_steps w where w.status = 'waiting' group by reason`;

/** The condition on sessions `s` that a step of theirs waits for this. */
export function waitingFor(reason: WaitingReason): string {
  return `exists (select 1 from session_steps w where w.session_id = s.id and w.status = 'waiting'
    and ${CONDITIONS[reason]})`;
}

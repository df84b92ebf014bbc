import type {
  CancelChannel,
  CancelEvidence,
  Cancellation,
  CancelNotice,
} from "../../domain/cancellations/cancellation.ts";
import type { CancellationStage, OpenStage } from "../../domain/cancellations/transitions.ts";
import type { Tx } from "./tx.ts";

export interface CancellationRow {
  readonly id: string;
  readonly task_id: string;
  readonly n: number;
  readonly session_id: string | null;
  readonly step_id: string | null;
  readonly agent_id: string | null;
  readonly agent_name: string | null;
  readonly tool: string | null;
  readonly channel: CancelChannel;
  readonly delivery_id: string | null;
  readonly reason: string;
  readonly stage: CancellationStage;
  readonly requested_at: number;
  readonly delivered_at: number | null;
  readonly acknowledged_at: number | null;
  readonly ended_at: number | null;
  readonly stuck_at: OpenStage | null;
  readonly evidence: CancelEvidence | null;
  readonly note: string | null;
  readonly timeout_at: number;
  readonly moved: number;
  readonly wake_at: number | null;
}

export function cancellationOf(tx: Pick<Tx, "get">, taskId: string, n: number): CancellationRow | undefined {
  return tx.get<CancellationRow>("select * from cancellations where task_id = ? and n = ?", taskId, n);
}

export function toCancellation(row: CancellationRow): Cancellation {
  return {
    id: row.id,
    sessionId: row.session_id,
    stepId: row.step_id,
    taskId: row.task_id,
    attempt: row.n,
    agentId: row.agent_id,
    agentName: row.agent_name,
    tool: row.tool,
    channel: row.channel,
    reason: row.reason,
    stage: row.stage,
    requestedAt: row.requested_at,
    deliveredAt: row.delivered_at,
    acknowledgedAt: row.acknowledged_at,
    endedAt: row.ended_at,
    stageDeadline: row.wake_at,
    stuckAt: row.stuck_at,
    evidence: row.evidence,
    note: row.note,
  };
}

export function toNotice({ id, reason, requested_at, wake_at }: CancellationRow): CancelNotice {
  return { cancellationId: id, reason, requestedAt: requested_at, stageDeadline: wake_at };
}

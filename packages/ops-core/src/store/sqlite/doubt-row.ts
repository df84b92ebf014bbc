import { formatTime } from "@opspawn/contract";
import type { Blocked } from "../../domain/blocked.ts";
import type { AttemptOutcome } from "../../domain/tasks/task.ts";
import type { Tx } from "./tx.ts";

/** What is to settle what a task has done: somebody is asked, a tool finds out, or it is undone. */
export interface DoubtRow {
  readonly task_id: string;
  readonly attempt: number;
  readonly policy: "ask" | "verify" | "compensate";
  readonly since: number;
  readonly outcome: string;
  readonly approval_id: string | null;
  readonly helper_id: string | null;
}

export type FailedAttempt = Extract<AttemptOutcome, { type: "failed" }>;

/** The doubt that a task is in. */
export function findDoubt(tx: Pick<Tx, "get">, taskId: string): DoubtRow | undefined {
  return tx.get<DoubtRow>("select * from doubts where task_id = ? and ended_at is null", taskId);
}

/** The doubt of task `t` as JSON, for a query of tasks; null for those that are in none. */
export const DOUBT = `case when t.held = 2 then (select json_object('since', d.since, 'policy', d.policy, 'approvalId',
    d.approval_id, 'helperId', d.helper_id, 'until', (select q.expires_at from approvals q where q.id = d.approval_id),
    'effects', (select json_group_array(e.effect_id order by e.n) from effects e
      where e.task_id = t.id and e.status = 'intended'))
  from doubts d where d.task_id = t.id and d.ended_at is null) end`;

interface ShownDoubt extends Pick<DoubtRow, "since" | "policy"> {
  readonly approvalId: string | null;
  readonly helperId: string | null;
  readonly until: number | null;
  readonly effects: readonly string[];
}

/** Effects that a reason names. */
const NAMED = 5;

/** Why a task in doubt waits: what is uncertain, since when, and who is to say. */
export function doubtBlock(text: string): Blocked {
  const { since, policy, approvalId, helperId, until, effects } = JSON.parse(text) as ShownDoubt;
  const names = effects.slice(0, NAMED).map((effect) => `\`${effect}\``);
  const more = effects.length > NAMED ? ` and ${effects.length - NAMED} more` : "";
  const what = `Nobody knows whether effect${effects.length === 1 ? "" : "s"} ${names.join(", ")}${more} happened`;
  const details = { effects: [...effects], policy, approvalId, taskId: helperId };
  const message = `${what}; ${waitSentence(policy, approvalId ?? helperId ?? "", until)}`;
  return { reason: "effect_uncertain", message, since, details };
}

function waitSentence(policy: DoubtRow["policy"], id: string, until: number | null): string {
  switch (policy) {
    case "ask":
      return `approval ${id} asks somebody${until === null ? "" : `, until ${formatTime(until)} at most`}.`;
    case "verify":
      return `a tool finds out (${id}).`;
    case "compensate":
      return `the step is being undone (${id}).`;
  }
}

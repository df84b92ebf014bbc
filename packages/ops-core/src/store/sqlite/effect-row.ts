import { formatTime } from "@opspawn/contract";
import type { Effect, EffectReceipt, ReceiptSource } from "../../domain/effects/effect.ts";
import { effectKey } from "../../domain/effects/hash.ts";
import type { EffectStatus } from "../../domain/effects/transitions.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import { changeTask, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

export interface EffectRow {
  readonly n: number;
  readonly task_id: string;
  readonly effect_id: string;
  readonly session_id: string | null;
  readonly step_id: string | null;
  readonly kind: string | null;
  readonly description: string | null;
  readonly payload_hash: string | null;
  readonly payload: string | null;
  readonly status: EffectStatus;
  readonly attempt: number;
  readonly announced_at: number;
  readonly result: string | null;
  readonly note: string | null;
  readonly told_at: number | null;
  readonly told_attempt: number | null;
  readonly told_by: ReceiptSource | null;
}

export function findEffect(tx: Tx, taskId: string, effectId: string): EffectRow | undefined {
  return tx.get<EffectRow>("select * from effects where task_id = ? and effect_id = ?", taskId, effectId);
}

/** What a task announced of which nobody has said what came of it, in the order of the announcements. */
export function openEffects(tx: Pick<Tx, "all">, taskId: string): EffectRow[] {
  return tx.all<EffectRow>("select * from effects where task_id = ? and status = 'intended' order by n", taskId);
}

export interface Told {
  readonly status: EffectReceipt["status"];
  readonly result: string | null;
  readonly note: string | null;
  /** Null when it was no agent. */
  readonly attempt: number | null;
  readonly by: ReceiptSource;
}

/** Writes down what came of an effect, where that was not known, or was thought not to have happened. */
export function settleEffect(tx: Tx, task: TaskRow, effect: EffectRow, told: Told): void {
  const settled = tx.run(
    `update effects set status = ?, result = ?, note = ?, told_at = ?, told_attempt = ?, told_by = ?
      where n = ? and status = ?`,
    told.status,
    told.result,
    told.note,
    tx.now,
    told.attempt,
    told.by,
    effect.n,
    effect.status,
  );
  if (settled !== 1) throw new Error(`effect ${effect.effect_id} of ${task.id} is not ${effect.status}`);
  if (effect.status === "intended") changeTask(tx, task, { open_effects: task.open_effects - 1 });
  const { status, attempt, by } = told;
  taskEvent(tx, task, "effect.receipt", { effectId: effect.effect_id, status, by, attempt });
}

/** Everything that a task has left open happened, or did not. */
export function settleOpenEffects(tx: Tx, task: TaskRow, told: Omit<Told, "attempt">): void {
  if (task.open_effects === 0) return;
  for (const effect of openEffects(tx, task.id)) settleEffect(tx, task, effect, { ...told, attempt: null });
}

/** Names of effects that an error or a question holds. */
const NAMED = 5;

/** That it ended, and nobody knows whether it did what it announced. */
export function uncertainError(tx: Tx, task: TaskRow, last: TaskError): TaskError {
  const message = `${doubtSentence(openEffects(tx, task.id))} It ended with ${last.code}: ${last.message}`;
  return { code: "effect_uncertain", message, retryable: false, uncertain: true };
}

/** Which effects nobody knows about. */
export function doubtSentence(effects: readonly EffectRow[]): string {
  const [first] = effects;
  if (first === undefined) return "Nobody knows whether it happened.";
  const names = effects.slice(0, NAMED).map((effect) => `\`${effect.effect_id}\``);
  const more = effects.length > NAMED ? ` and ${effects.length - NAMED} more` : "";
  const since = formatTime(first.announced_at);
  if (effects.length === 1) return `Nobody knows whether effect ${names[0]} happened: announced ${since}, no receipt.`;
  return `Nobody knows whether effects ${names.join(", ")}${more} happened: announced since ${since}, no receipts.`;
}

export function toEffect(row: EffectRow): Effect {
  return {
    taskId: row.task_id,
    effectId: row.effect_id,
    sessionId: row.session_id,
    stepId: row.step_id,
    key: effectKey(row.task_id, row.effect_id),
    kind: row.kind,
    description: row.description,
    payloadHash: row.payload_hash,
    payload: row.payload,
    status: row.status,
    attempt: row.attempt,
    announcedAt: row.announced_at,
    receipt: toReceipt(row),
  };
}

function toReceipt({
  status,
  result,
  note,
  told_at: at,
  told_attempt: attempt,
  told_by: by,
}: EffectRow): EffectReceipt | null {
  return status === "intended" || at === null || by === null ? null : { status, result, note, at, attempt, by };
}

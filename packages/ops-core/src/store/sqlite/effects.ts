import { OpspawnError } from "@opspawn/contract";
import { leaseLost } from "../../domain/cancellations/lease-lost.ts";
import { type Announced, EFFECTS_PER_TASK_MAX, type Intent, type ToldReceipt } from "../../domain/effects/effect.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import { noteAlive } from "./agent-lease.ts";
import { tellByToken } from "./cancellations.ts";
import { type EffectRow, findEffect, settleEffect, toEffect } from "./effect-row.ts";
import { endAttempt, isOpen, slotHold } from "./ending.ts";
import { findByToken } from "./outcomes.ts";
import { drainSlot } from "./slots.ts";
import { endTask, settleDoubt } from "./task-failure.ts";
import { type AttemptRow, changeTask, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/**
 * An agent is about to do something. An error that is returned, not thrown: what is written with it stays.
 * @throws OpspawnError `task_not_found`, `lease_lost`, `too_many_effects`
 */
export function intendEffect(tx: Tx, taskId: string, token: string, intent: Intent): Announced | OpspawnError {
  const { task, attempt } = findByToken(tx, taskId, token);
  const agent = attempt.agent_id === null ? undefined : tx.context.agents.get(attempt.agent_id);
  if (agent !== undefined) noteAlive(tx, agent);
  if (!isOpen(attempt)) {
    const message = "This attempt has ended or was given away; do nothing more for it.";
    return leaseLost(message, tellByToken(tx, task, attempt));
  }
  const before = findEffect(tx, taskId, intent.effectId);
  if (before === undefined) return announce(tx, task, attempt, intent);
  if (before.payload_hash !== intent.payloadHash) return contradict(tx, task, attempt, before);
  if (before.status === "done") return { type: "done", effect: toEffect(before) };
  return announceAgain(tx, task, attempt, before);
}

function announce(tx: Tx, task: TaskRow, attempt: AttemptRow, intent: Intent): Announced {
  const known = tx.get<{ count: number }>("select count(*) as count from effects where task_id = ?", task.id);
  if ((known?.count ?? 0) >= EFFECTS_PER_TASK_MAX) {
    const message = `A task announces at most ${EFFECTS_PER_TASK_MAX} effects.`;
    throw new OpspawnError("too_many_effects", message);
  }
  tx.run(
    `insert into effects (task_id, effect_id, session_id, step_id, kind, description, payload_hash, payload, status,
      attempt, announced_at) values (?, ?, ?, ?, ?, ?, ?, ?, 'intended', ?, ?)`,
    task.id,
    intent.effectId,
    task.session_id,
    task.step_id,
    intent.kind,
    intent.description,
    intent.payloadHash,
    intent.payload,
    attempt.n,
    tx.now,
  );
  changeTask(tx, task, { open_effects: task.open_effects + 1 });
  noteIntent(tx, task, attempt, intent.effectId);
  return { type: "intended", effect: toEffect(needEffect(tx, task.id, intent.effectId)), again: false };
}

/** A later attempt, or the same one, is about to do what was announced before. */
function announceAgain(tx: Tx, task: TaskRow, attempt: AttemptRow, before: EffectRow): Announced {
  const again = before.status === "intended" && before.attempt < attempt.n;
  if (before.status === "intended" && !again) return { type: "intended", effect: toEffect(before), again };
  tx.run(
    `update effects set status = 'intended', attempt = ?, result = null, note = null, told_at = null,
      told_attempt = null, told_by = null where n = ? and status <> 'done'`,
    attempt.n,
    before.n,
  );
  if (before.status !== "intended") changeTask(tx, task, { open_effects: task.open_effects + 1 });
  noteIntent(tx, task, attempt, before.effect_id);
  return { type: "intended", effect: toEffect(needEffect(tx, task.id, before.effect_id)), again };
}

function noteIntent(tx: Tx, task: TaskRow, attempt: AttemptRow, effectId: string): void {
  taskEvent(tx, task, "effect.intended", { effectId, attempt: attempt.n });
}

/**
 * The agent wants to do something else under the name of what it may have done: it makes its work up anew each time, so
 * trying again proves nothing. Its slot drains, since it was not asked to stop.
 */
function contradict(tx: Tx, task: TaskRow, attempt: AttemptRow, before: EffectRow): Announced {
  const message = `Effect \`${before.effect_id}\` was announced again with another payload.`;
  const error: TaskError = { code: "effect_differs", message, retryable: false };
  endAttempt(tx, task, attempt, "fail", { evidence: null, error });
  drainSlot(tx, tx.context.agents.doer(task.lane, attempt.agent_id), attempt, tx.now + slotHold(attempt));
  changeTask(tx, task, { used: task.used + 1 });
  endTask(tx, task, { ...error, uncertain: true }, null);
  return { type: "differs", effect: toEffect(before) };
}

/**
 * What came of an effect, told under any token that the task ever had. That it happened counts whoever tells it; that it
 * did not only from whoever announced it last.
 * @throws OpspawnError `task_not_found`, `lease_lost`, `effect_not_found`
 */
export function receiveReceipt(
  tx: Tx,
  taskId: string,
  token: string,
  effectId: string,
  { status, result, note }: ToldReceipt,
): EffectRow {
  const { task, attempt } = findByToken(tx, taskId, token);
  const effect = findEffect(tx, taskId, effectId);
  if (effect === undefined) {
    throw new OpspawnError("effect_not_found", `Task ${taskId} has not announced an effect \`${effectId}\`.`);
  }
  const isNews = status === "done" ? effect.status !== "done" : effect.status === "intended";
  if (isNews && (status === "done" || attempt.n >= effect.attempt)) {
    settleEffect(tx, task, effect, { status, result, note, attempt: attempt.n, by: "agent" });
    settleDoubt(tx, task);
  } else if (effect.status !== status) {
    taskEvent(tx, task, "effect.contradicted", { effectId, status, attempt: attempt.n });
  }
  return needEffect(tx, taskId, effectId);
}

function needEffect(tx: Tx, taskId: string, effectId: string): EffectRow {
  const row = findEffect(tx, taskId, effectId);
  if (row === undefined) throw new Error(`effect ${effectId} of ${taskId} is gone`);
  return row;
}

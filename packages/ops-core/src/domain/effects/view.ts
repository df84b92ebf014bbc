import { type EffectView, formatTime } from "@opspawn/contract";
import { readStored } from "../stored-json.ts";
import type { Effect, EffectReceipt } from "./effect.ts";

export function effectView(effect: Effect): EffectView {
  return {
    effectId: effect.effectId,
    taskId: effect.taskId,
    sessionId: effect.sessionId,
    stepId: effect.stepId,
    idempotencyKey: effect.key,
    kind: effect.kind,
    description: effect.description,
    payloadHash: effect.payloadHash,
    payload: readStored(effect.payload),
    status: effect.status,
    attempt: effect.attempt,
    announcedAt: formatTime(effect.announcedAt),
    receipt: receiptView(effect.receipt),
  };
}

export function receiptView(receipt: EffectReceipt | null): EffectView["receipt"] {
  if (receipt === null) return null;
  const { status, result, note, at, attempt, by } = receipt;
  return { status, result: readStored(result), note, at: formatTime(at), attempt, by };
}

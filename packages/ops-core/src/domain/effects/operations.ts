import { type JsonValue, type OperationInput, OpspawnError, type operations, stringifyJson } from "@opspawn/contract";
import type { NounHandlers, Ports } from "../ports.ts";
import { invalidField } from "../request-fields.ts";
import { needTask } from "../tasks/view.ts";
import { EFFECT_PAYLOAD_MAX, EFFECT_RESULT_MAX, type Intent } from "./effect.ts";
import { payloadHash } from "./hash.ts";
import { effectView, receiptView } from "./view.ts";

type IntentBody = OperationInput<typeof operations.effects.announce>["body"];

export function effectHandlers({ store }: Ports): NounHandlers<"effects"> {
  return {
    async announce(_context, { params, body }) {
      const announced = await store.effects.intend(params.taskId, body.token, intentOf(body));
      const { effectId, key: idempotencyKey, receipt } = announced.effect;
      if (announced.type === "differs") {
        const message = `Effect \`${effectId}\` was announced with another payload before; this attempt has ended.`;
        throw new OpspawnError("effect_differs", message);
      }
      if (announced.type === "done") {
        return { effectId, idempotencyKey, status: "done", again: false, receipt: receiptView(receipt) };
      }
      return { effectId, idempotencyKey, status: "intended", again: announced.again, receipt: null };
    },
    async receipt(_context, { params, body }) {
      const { token, status } = body;
      const note = body.note ?? null;
      const result = body.result ?? null;
      const text = result === null ? null : boundedJson(result, ["body", "result"], EFFECT_RESULT_MAX);
      return effectView(
        await store.effects.receipt(params.taskId, token, params.effectId, { status, note, result: text }),
      );
    },
    async ofTask(_context, { params }) {
      const { id } = await needTask(store, params.taskId);
      return { items: (await store.effects.ofTask(id)).map(effectView) };
    },
    async list(_context, { query }) {
      const { status, session, ...page } = query;
      const filter = { status: status === "open" ? ("intended" as const) : status, session };
      const { items, nextCursor } = await store.effects.list(page, filter);
      return { items: items.map(effectView), nextCursor };
    },
  };
}

function intentOf({ effectId, payload, payloadHash: given, ...said }: IntentBody): Intent {
  const kind = said.kind ?? null;
  const description = said.description ?? null;
  if (payload !== undefined && given !== undefined) {
    throw invalidField(["body", "payloadHash"], "goes instead of a payload, not with one");
  }
  const text = payload === undefined ? null : boundedJson(payload, ["body", "payload"], EFFECT_PAYLOAD_MAX);
  const hash = payload === undefined ? (given ?? null) : payloadHash(payload);
  return { effectId, kind, description, payloadHash: hash, payload: text };
}

function boundedJson(value: JsonValue, loc: readonly string[], max: number): string {
  const text = stringifyJson(value);
  if (Buffer.byteLength(text) <= max) return text;
  throw invalidField(loc, `must be at most ${max / 1024} KB of JSON`, "too_long");
}

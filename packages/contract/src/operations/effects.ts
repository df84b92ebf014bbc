import { z } from "zod";
import { operation } from "../operation.ts";
import { id, jsonValue, listOf, page, time } from "./common.ts";

const effectStatus = z.enum(["intended", "done", "failed", "not_done"]);

const receipt = z.object({
  status: z.enum(["done", "failed", "not_done"]),
  result: jsonValue.nullable(),
  note: z.string().nullable(),
  at: time,
  /** Of the attempt that told it; null when it was no agent. */
  attempt: z.number().int().nullable(),
  /** Who told it. `outcome`: the task completed without a word about it. */
  by: z.enum(["agent", "outcome", "person", "tool", "compensation"]),
});

/** Something that an agent does outside, announced before it is done. */
const effect = z.object({
  effectId: z.string(),
  taskId: id,
  sessionId: id.nullable(),
  stepId: z.string().nullable(),
  /** The same for every attempt of the task; for a receiver that honours such keys. */
  idempotencyKey: z.string(),
  kind: z.string().nullable(),
  description: z.string().nullable(),
  payloadHash: z.string().nullable(),
  payload: jsonValue.nullable(),
  status: effectStatus,
  /** The attempt that announced it last. */
  attempt: z.number().int(),
  announcedAt: time,
  receipt: receipt.nullable(),
});
export type EffectView = z.infer<typeof effect>;

const effectId = z.string().min(1).max(200);
const token = z.string().min(1).max(200);
const byToken = { scope: "tasks:result", agent: "self", token: true } as const;

export const effectOperations = {
  announce: operation({
    id: "effects.announce",
    summary: "Announce an effect before doing it. `done` in the answer: an earlier attempt did it, do not do it again.",
    method: "POST",
    path: "/v1/opscore/tasks/{taskId}/effects",
    params: z.object({ taskId: id }),
    body: z.strictObject({
      token,
      effectId,
      /** Such as `payment` or `mail`. */
      kind: z.string().min(1).max(100).optional(),
      description: z.string().max(1_000).optional(),
      /** What is to be done, at most 16 KB of it: the same effect always has the same payload. */
      payload: jsonValue.optional(),
      /** Instead of a payload that is large, or secret. */
      payloadHash: z.string().min(1).max(200).optional(),
    }),
    output: z.object({
      effectId: z.string(),
      idempotencyKey: z.string(),
      status: z.enum(["intended", "done"]),
      /** An earlier attempt announced it, and nobody knows whether it happened. */
      again: z.boolean(),
      receipt: receipt.nullable(),
    }),
    errors: ["task_not_found", "lease_lost", "effect_differs", "too_many_effects"],
    permission: byToken,
    idempotency: "natural",
  }),
  receipt: operation({
    id: "effects.receipt",
    summary: "Tell what came of an announced effect, under any token that the task ever had, also after its end.",
    method: "POST",
    path: "/v1/opscore/tasks/{taskId}/effects/{effectId}/receipt",
    params: z.object({ taskId: id, effectId }),
    body: z.strictObject({
      token,
      /** `failed`: it was tried, and has no effect. `not_done`: it was not tried. */
      status: z.enum(["done", "failed", "not_done"]),
      /** At most 64 KB. */
      result: jsonValue.nullable().optional(),
      note: z.string().max(1_000).optional(),
    }),
    output: effect,
    errors: ["task_not_found", "lease_lost", "effect_not_found"],
    permission: byToken,
    idempotency: "natural",
  }),
  ofTask: operation({
    id: "effects.ofTask",
    summary: "What a task has announced, in order, and what came of it.",
    method: "GET",
    path: "/v1/opscore/tasks/{taskId}/effects",
    params: z.object({ taskId: id }),
    output: z.object({ items: z.array(effect) }),
    errors: ["task_not_found"],
    permission: { scope: "tasks:read" },
    idempotency: "read",
  }),
  list: operation({
    id: "effects.list",
    summary: "List announced effects, newest first; `status=open` lists those without a receipt.",
    method: "GET",
    path: "/v1/opscore/effects",
    query: z.object({
      ...page,
      /** `open` is `intended`. */
      status: z.enum(["open", "intended", "done", "failed", "not_done"]).optional(),
      session: z.string().optional(),
    }),
    output: listOf(effect),
    permission: { scope: "tasks:read" },
    idempotency: "read",
  }),
};

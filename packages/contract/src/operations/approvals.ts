import { z } from "zod";
import { operation } from "../operation.ts";
import { blocked, explained, id, jsonValue, listOf, page, time } from "./common.ts";

const approvalStatus = z.enum(["pending", "approved", "rejected", "expired", "cancelled"]);

/** A decision that a session waits for, or waited for. */
const approval = z.object({
  approvalId: id,
  sessionId: id,
  workflowId: z.string(),
  stepId: z.string(),
  /** `effect`: whether something that an agent announced has happened. To approve says yes, to reject no. */
  kind: z.enum(["step", "effect"]),
  /** The task whose effects it is about. */
  taskId: id.nullable(),
  status: approvalStatus,
  message: z.string(),
  details: jsonValue.nullable(),
  /** SHA-256 of what is decided on: the definition, the step, the message and the details. */
  subjectHash: z.string(),
  /** Names of the keys that may decide; null = every key with the scope. */
  approvers: z.array(z.string()).nullable(),
  requestedAt: time,
  expiresAt: time.nullable(),
  /** How often it was asked again. */
  reminders: z.number().int(),
  nextReminderAt: time.nullable(),
  endedAt: time.nullable(),
  /** The key that decided, by name and id, or the link it was decided by. */
  decidedBy: z.string().nullable(),
  comment: z.string().nullable(),
  blocked: blocked.nullable(),
});
export type ApprovalView = z.infer<typeof approval>;

const approvalParams = z.object({ approvalId: id });

const decision = z
  .strictObject({
    comment: z.string().max(10_000).optional(),
    /** The `subjectHash` that was looked at; the decision is refused when it is another one now. */
    subjectHash: z.string().max(200).optional(),
    /** What the step comes to, when an effect happened. */
    result: jsonValue.optional(),
  })
  .optional();

const link = z.object({
  linkId: id,
  approvalId: id,
  decision: z.enum(["approve", "reject", "any"]),
  /** Whom it was made for, as a decision by it will say. */
  for: z.string(),
  /** Holds the secret, and is shown once. */
  url: z.string(),
  expiresAt: time,
});
export type ApprovalLinkView = z.infer<typeof link>;

const decides = {
  params: approvalParams,
  body: decision,
  output: approval,
  errors: ["approval_not_found", "approval_decided", "approval_stale", "output_invalid"],
  permission: { scope: "approvals:write" },
  idempotency: "natural",
} as const;

export const approvalOperations = {
  list: operation({
    id: "approvals.list",
    summary: "List what waits, or waited, for somebody's decision, newest first.",
    method: "GET",
    path: "/v1/opscore/approvals",
    query: z.object({
      ...page,
      status: approvalStatus.optional(),
      session: z.string().optional(),
      workflow: z.string().optional(),
    }),
    output: listOf(approval),
    permission: { scope: "approvals:read" },
    idempotency: "read",
  }),
  get: operation({
    id: "approvals.get",
    summary: "What is to be decided, and what was.",
    method: "GET",
    path: "/v1/opscore/approvals/{approvalId}",
    params: approvalParams,
    output: approval,
    errors: ["approval_not_found"],
    permission: { scope: "approvals:read" },
    idempotency: "read",
  }),
  why: operation({
    id: "approvals.why",
    summary: "Who has to decide, since when, and what happens when nobody does.",
    method: "GET",
    path: "/v1/opscore/approvals/{approvalId}/why",
    params: approvalParams,
    output: z.object({ approvalId: id, status: approvalStatus, ...explained }),
    errors: ["approval_not_found"],
    permission: { scope: "approvals:read" },
    idempotency: "read",
  }),
  approve: operation({
    id: "approvals.approve",
    summary:
      "Approve: the session goes on with the step's dependents. Of an effect: it happened, and the step is completed.",
    method: "POST",
    path: "/v1/opscore/approvals/{approvalId}/approve",
    ...decides,
  }),
  reject: operation({
    id: "approvals.reject",
    summary: "Reject: the step fails, or its `onReject` is taken. Of an effect: it did not happen, and is tried again.",
    method: "POST",
    path: "/v1/opscore/approvals/{approvalId}/reject",
    ...decides,
  }),
  link: operation({
    id: "approvals.link",
    summary: "Make a link by which somebody without a key can decide, once. The answer is the only place that has it.",
    method: "POST",
    path: "/v1/opscore/approvals/{approvalId}/links",
    params: approvalParams,
    body: z
      .strictObject({
        /** What it can be used for. */
        decision: z.enum(["approve", "reject", "any"]).default("any"),
        /** Such as `24h`, which is the default; from `1m` to `30d`. */
        expiresIn: z.string().max(20).optional(),
        /** Whom it is for; default: the name of the key that makes it. */
        for: z.string().min(1).max(100).optional(),
      })
      .default({ decision: "any" }),
    output: link,
    status: 201,
    errors: ["approval_not_found", "approval_decided", "too_many_links"],
    permission: { scope: "approvals:write" },
    idempotency: "natural",
  }),
};

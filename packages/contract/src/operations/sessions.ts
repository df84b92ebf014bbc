import { z } from "zod";
import { operation } from "../operation.ts";
import { cancellation } from "./cancellations.ts";
import { blocked, id, jsonObject, jsonValue, labels, listOf, page, taskError, time, wait } from "./common.ts";
import { sessionEvents } from "./events.ts";

const sessionStatus = z.enum(["started", "running", "waiting", "paused", "completed", "failed", "cancelled"]);
const stepStatus = z.enum([
  "pending",
  "waiting",
  "running",
  "completed",
  "failed",
  "skipped",
  "uncertain",
  "compensated",
  "cancelled",
]);

const step = z.object({
  stepId: z.string(),
  name: z.string(),
  status: stepStatus,
  taskId: id.nullable(),
  agentId: id.nullable(),
  attempts: z.number().int(),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  error: taskError.nullable(),
  /** Of a `forEach`: its list, and how far it has come. */
  items: z
    .object({
      total: z.number().int(),
      begun: z.number().int(),
      open: z.number().int(),
      failed: z.number().int(),
    })
    .nullable(),
  /** Of a `repeat`: the run under way, or the last one, from 0. */
  iteration: z.number().int(),
  /** When the time it waits for comes, or its patience ends. */
  waitsUntil: time.nullable(),
  /** The signal it waits for. */
  signal: z.string().nullable(),
  /** The session it consists of. */
  childSessionId: id.nullable(),
  approvalId: id.nullable(),
  /** The session in which it ended, where this one took it over. */
  fromSessionId: id.nullable(),
});

const session = z.object({
  sessionId: id,
  workflowId: z.string(),
  workflowVersion: z.string(),
  agentId: id.nullable(),
  status: sessionStatus,
  labels,
  result: jsonValue.nullable(),
  error: taskError.nullable(),
  failedSteps: z.array(z.string()),
  /** Steps of which nobody knows whether they, or what they announced, happened. */
  uncertainSteps: z.array(z.string()),
  /** What became of undoing the steps of a failed session; null where nothing is undone. */
  compensation: z.enum(["running", "complete", "incomplete"]).nullable(),
  /** The session whose step this one is. */
  parentSessionId: id.nullable(),
  /** The session whose finished steps this one took over. */
  forkedFrom: id.nullable(),
  /** Added to the priority of each of its steps. */
  priority: z.number().int(),
  createdAt: time,
  updatedAt: time,
  endedAt: time.nullable(),
  blocked: blocked.nullable(),
});
export type SessionView = z.infer<typeof session>;

/** Of it and the sessions within it, the first 50; none of a session that completed. */
const cancelled = { cancellations: z.array(cancellation) };

const sessionDetail = session.extend({ input: jsonValue.nullable(), steps: z.array(step), ...cancelled });
export type SessionDetailView = z.infer<typeof sessionDetail>;

const sessionParams = z.object({ sessionId: id });

const sessionStart = z.strictObject({
  workflowId: z.string().min(1).max(200).optional(),
  workflow: jsonObject.optional(),
  version: z.string().max(100).optional(),
  input: jsonValue.nullable().optional(),
  agentId: id.optional(),
  labels: labels.default({}),
  /** Not before this long from now, such as `10m`. */
  delay: z.string().max(20).optional(),
  /** Added to the priority of each step: higher is sooner, by a minute per point. */
  priority: z.number().int().min(-1_000).max(1_000).default(0),
  /** Receives one signed POST when the session ends. */
  callbackUrl: z.string().max(2083).optional(),
});

const begun = z.object({
  sessionId: id,
  workflowId: z.string(),
  workflowVersion: z.string(),
  status: sessionStatus,
});
const forked = begun.extend({ forkedFrom: id });

export const sessionOperations = {
  start: operation({
    id: "sessions.start",
    summary: "Start a workflow, by id or inline.",
    method: "POST",
    path: "/v1/opscore/sessions",
    body: sessionStart,
    output: begun,
    status: 202,
    errors: [
      "workflow_not_found",
      "workflow_invalid",
      "agent_not_found",
      "input_invalid",
      "no_target",
      "endpoint_refused",
    ],
    permission: { scope: "sessions:write" },
    idempotency: "key",
  }),
  get: operation({
    id: "sessions.get",
    summary: "A session with its steps; `wait=30s` answers when it ends, or then.",
    method: "GET",
    path: "/v1/opscore/sessions/{sessionId}",
    params: sessionParams,
    query: z.object({ wait: wait.optional() }),
    output: sessionDetail,
    errors: ["session_not_found"],
    permission: { scope: "sessions:read" },
    idempotency: "read",
  }),
  list: operation({
    id: "sessions.list",
    summary: "List sessions, newest first.",
    method: "GET",
    path: "/v1/opscore/sessions",
    query: z.object({
      ...page,
      status: sessionStatus.optional(),
      workflow: z.string().optional(),
      agent: z.string().optional(),
      /** `key=value`. */
      label: z.string().max(320).optional(),
      since: z.string().max(40).optional(),
      until: z.string().max(40).optional(),
      blockedReason: z.string().max(100).optional(),
      /** Sessions that are steps of this one. */
      parent: id.optional(),
    }),
    output: listOf(session),
    permission: { scope: "sessions:read" },
    idempotency: "read",
  }),
  retry: operation({
    id: "sessions.retry",
    summary: "Go on where a failed or cancelled session stopped, in a new session that takes over what was done.",
    method: "POST",
    path: "/v1/opscore/sessions/{sessionId}/retry",
    params: sessionParams,
    /** Absent: the labels of the source. */
    body: z.strictObject({ labels: labels.optional() }).optional(),
    output: forked,
    status: 202,
    errors: ["session_not_found", "session_open", "session_completed", "agent_not_found"],
    permission: { scope: "sessions:write" },
    idempotency: "key",
  }),
  fork: operation({
    id: "sessions.fork",
    summary: "Do a step of an ended session and all behind it again, in a new session that takes over the others.",
    method: "POST",
    path: "/v1/opscore/sessions/{sessionId}/fork",
    params: sessionParams,
    body: z.strictObject({
      /** The step to begin at. */
      from: z.string().min(1).max(200),
      /** The session's input; absent: that of the source. Steps that were taken over are not done again for it. */
      input: jsonValue.nullable().optional(),
      /** What the step gets instead of what its definition says. */
      parameters: jsonObject.optional(),
      /** Absent: the labels of the source. */
      labels: labels.optional(),
    }),
    output: forked,
    status: 202,
    errors: ["session_not_found", "session_open", "step_not_finished", "input_invalid", "agent_not_found"],
    permission: { scope: "sessions:write" },
    idempotency: "key",
  }),
  pause: operation({
    id: "sessions.pause",
    summary: "Pause a session: what runs may end, nothing new of it is given out until it is resumed.",
    method: "POST",
    path: "/v1/opscore/sessions/{sessionId}/pause",
    params: sessionParams,
    body: z.strictObject({ reason: z.string().max(1000).optional() }).optional(),
    output: session,
    errors: ["session_not_found", "session_terminal", "session_compensating"],
    permission: { scope: "sessions:write" },
    idempotency: "natural",
  }),
  resume: operation({
    id: "sessions.resume",
    summary: "Let a paused session go on, with the sessions within it that were not paused for themselves.",
    method: "POST",
    path: "/v1/opscore/sessions/{sessionId}/resume",
    params: sessionParams,
    output: session,
    errors: ["session_not_found", "session_terminal", "parent_paused"],
    permission: { scope: "sessions:write" },
    idempotency: "natural",
  }),
  cancel: operation({
    id: "sessions.cancel",
    summary: "Cancel a session: no new step starts, open tasks are cancelled, late results are refused.",
    method: "POST",
    path: "/v1/opscore/sessions/{sessionId}/cancel",
    params: sessionParams,
    body: z.strictObject({ reason: z.string().max(1000).optional() }).optional(),
    output: session.extend(cancelled),
    errors: ["session_not_found", "session_terminal", "session_compensating"],
    permission: { scope: "sessions:write" },
    idempotency: "natural",
  }),
  cancellations: operation({
    id: "sessions.cancellations",
    summary: "Which agents were to stop what they did for a session and those within it, and what they said.",
    method: "GET",
    path: "/v1/opscore/sessions/{sessionId}/cancellations",
    params: sessionParams,
    query: z.object(page),
    output: listOf(cancellation),
    errors: ["session_not_found"],
    permission: { scope: "sessions:read" },
    idempotency: "read",
  }),
  signal: operation({
    id: "sessions.signal",
    summary: "Send a signal to a session; what nobody waits for yet is kept for the step that will.",
    method: "POST",
    path: "/v1/opscore/sessions/{sessionId}/signals/{name}",
    params: z.object({ sessionId: id, name: z.string().min(1).max(200) }),
    body: z.strictObject({ payload: jsonValue.nullable().optional() }).optional(),
    output: z.object({ sessionId: id, name: z.string(), delivered: z.boolean() }),
    errors: ["session_not_found", "session_terminal", "signal_unknown", "too_many_signals"],
    permission: { scope: "sessions:write" },
    idempotency: "key",
  }),
  label: operation({
    id: "sessions.label",
    summary: "Replace the labels of a session.",
    method: "PUT",
    path: "/v1/opscore/sessions/{sessionId}/labels",
    params: sessionParams,
    body: z.strictObject({ labels }),
    output: session,
    errors: ["session_not_found"],
    permission: { scope: "sessions:write" },
    idempotency: "natural",
  }),
  why: operation({
    id: "sessions.why",
    summary: "What a session waits for, step by step, evaluated now.",
    method: "GET",
    path: "/v1/opscore/sessions/{sessionId}/why",
    params: sessionParams,
    output: z.object({
      sessionId: id,
      status: sessionStatus,
      blocked: blocked.nullable(),
      explanation: z.array(z.string()),
    }),
    errors: ["session_not_found"],
    permission: { scope: "sessions:read" },
    idempotency: "read",
  }),
  events: sessionEvents,
};

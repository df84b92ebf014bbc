import { z } from "zod";
import { operation } from "../operation.ts";
import { cancellation, cancelNotice, cancelReceipt, receiptAnswer } from "./cancellations.ts";
import { blocked, explained, id, jsonObject, jsonValue, listOf, page, taskError, time } from "./common.ts";
import { taskEvents } from "./events.ts";

const taskStatus = z.enum(["pending", "running", "completed", "failed", "cancelled"]);
const attemptStatus = z.enum([
  "created",
  "dispatched",
  "acknowledged",
  "succeeded",
  "failed",
  "timed_out",
  "lost",
  "cancelled",
]);

/** The ninth key of a delivery's body, and what a pull agent receives. */
const ticket = z.object({
  taskId: id,
  attempt: z.number().int(),
  token: z.string(),
  resultUrl: z.string(),
  deadline: time,
  /** What was asked for, or null where an agent was named: an agent of several capabilities goes by it. */
  capability: z.string().nullable(),
});

/** A task as handed to an agent: the originals' eight keys and `opspawn`. */
export const assignment = z.object({
  senderId: z.string(),
  timestamp: z.string(),
  messageType: z.string(),
  payload: jsonObject,
  sessionContext: z.object({ sessionId: z.string().nullable(), priorMessages: z.array(z.string()) }).nullable(),
  task_name: z.string().nullable(),
  opscore_session_id: z.string().nullable(),
  opscore_task_id: z.string().nullable(),
  opspawn: ticket,
});
export type Assignment = z.infer<typeof assignment>;

const attempt = z.object({
  number: z.number().int(),
  /** Null where a tool was called. */
  agentId: id.nullable(),
  agentName: z.string().nullable(),
  /** The tool that was called, else null. */
  tool: z.string().nullable(),
  status: attemptStatus,
  /** False for a try that used up none of the task's attempts. */
  counted: z.boolean(),
  sends: z.number().int(),
  createdAt: time,
  acknowledgedAt: time.nullable(),
  endedAt: time.nullable(),
  /** How we know the outcome. */
  evidence: z.enum(["result", "answer", "named", "inferred"]).nullable(),
  error: taskError.nullable(),
});

/** One of them is set, unless a capability prefers an agent. */
const requirement = z.object({
  agentId: id.nullable(),
  agentName: z.string().nullable(),
  capability: z.string().nullable(),
  tool: z.string().nullable(),
});

const taskLimits = z.object({
  concurrency: z.object({ key: z.string(), limit: z.number().int() }).nullable(),
  rateLimit: z.object({ key: z.string(), limit: z.number().int(), per: z.string() }).nullable(),
});

const task = z.object({
  taskId: id,
  name: z.string(),
  sessionId: id.nullable(),
  stepId: z.string().nullable(),
  status: taskStatus,
  requirement,
  /** True once the step's fallback took over. */
  fellBack: z.boolean(),
  agentId: id.nullable(),
  attempts: z.object({ used: z.number().int(), max: z.number().int() }),
  readyAt: time,
  createdAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  deadline: time,
  result: jsonValue.nullable(),
  error: taskError.nullable(),
  /** A failed task whose attempts or deadline ran out. */
  deadLetter: z.boolean(),
  /** The dead letter it was made from. */
  redriveOf: id.nullable(),
  /** How many tasks of its keys run at once, and begin within some time; null where nothing limits it. */
  limits: taskLimits.nullable(),
  blocked: blocked.nullable(),
});
export type TaskView = z.infer<typeof task>;

/** What became of those who may have been at it when it was cancelled. */
const cancelled = { cancellations: z.array(cancellation) };

const taskDetail = task.extend({ parameters: jsonValue, attemptList: z.array(attempt), ...cancelled });

const taskParams = z.object({ taskId: id });

const resultBody = z.strictObject({
  token: z.string().min(1).max(200),
  status: z.enum(["completed", "failed"]),
  result: jsonValue.nullable().optional(),
  error: z
    .strictObject({
      code: z.string().max(100).default("agent_error"),
      message: z.string().max(10_000).default(""),
      retryable: z.boolean().optional(),
      /** Seconds. */
      retryAfter: z.number().min(0).max(86_400).optional(),
    })
    .optional(),
  /**
   * Set by a gateway that delivered the task: the outcome is the agent's own answer, or the task could not be delivered
   * (the agent is not reached, or has no time), or it never will be (the agent does not take it). Absent: it is the
   * agent that speaks.
   */
  delivery: z.enum(["answered", "unavailable", "rejected"]).optional(),
});

const duration = z.string().max(20);

export const taskOperations = {
  create: operation({
    id: "tasks.create",
    summary: "Create a task that belongs to no session, for an agent or for whoever has a capability.",
    method: "POST",
    path: "/v1/opscore/tasks",
    body: z.strictObject({
      name: z.string().min(1).max(1_000),
      agentId: id.optional(),
      capability: z.string().min(1).max(200).optional(),
      parameters: jsonObject.default({}),
      /** Attempts in all. */
      maxAttempts: z.number().int().min(1).max(100).default(1),
      /** Bounds one attempt; absent = the agent's own, else `2m`. */
      timeout: duration.optional(),
      /** Bounds all attempts. */
      deadline: duration.default("24h"),
      /** Not before this long from now. */
      delay: duration.optional(),
      /** Higher is sooner, by a minute per point. */
      priority: z.number().int().min(-1_000).max(1_000).default(0),
    }),
    output: task,
    status: 202,
    errors: ["agent_not_found", "no_target"],
    permission: { scope: "tasks:write", anonymous: "loopback" },
    idempotency: "key",
  }),
  list: operation({
    id: "tasks.list",
    summary: "List tasks, newest first; `deadLetter=true` lists those that ran out of attempts or time.",
    method: "GET",
    path: "/v1/opscore/tasks",
    query: z.object({
      ...page,
      status: taskStatus.optional(),
      session: z.string().optional(),
      agent: z.string().optional(),
      blockedReason: z.string().optional(),
      deadLetter: z.enum(["true"]).optional(),
      capability: z.string().optional(),
      /** `false`: nothing was made from it, nor from its session. */
      redriven: z.enum(["false"]).optional(),
    }),
    output: listOf(task),
    permission: { scope: "tasks:read" },
    idempotency: "read",
  }),
  get: operation({
    id: "tasks.get",
    summary: "A task with its attempts.",
    method: "GET",
    path: "/v1/opscore/tasks/{taskId}",
    params: taskParams,
    output: taskDetail,
    errors: ["task_not_found"],
    permission: { scope: "tasks:read" },
    idempotency: "read",
  }),
  why: operation({
    id: "tasks.why",
    summary: "Why a task waits, evaluated now by the code that decides.",
    method: "GET",
    path: "/v1/opscore/tasks/{taskId}/why",
    params: taskParams,
    output: z.object({ taskId: id, status: taskStatus, ...explained }),
    errors: ["task_not_found"],
    permission: { scope: "tasks:read" },
    idempotency: "read",
  }),
  result: operation({
    id: "tasks.result",
    summary: "Report the outcome of an attempt, under its fencing token.",
    method: "POST",
    path: "/v1/opscore/tasks/{taskId}/result",
    params: taskParams,
    body: resultBody,
    output: z.object({ taskId: id, status: taskStatus, accepted: z.literal(true) }),
    errors: ["task_not_found", "lease_lost"],
    permission: { scope: "tasks:result", agent: "self", token: true },
    idempotency: "natural",
  }),
  lease: operation({
    id: "tasks.lease",
    summary: "Say that an attempt is still being worked on; 409 when it is not this agent's any more.",
    method: "POST",
    path: "/v1/opscore/tasks/{taskId}/lease",
    params: taskParams,
    body: z.strictObject({
      token: z.string().min(1).max(200),
      /** A gateway is about to send the task's message to the agent once more. */
      resend: z.boolean().optional(),
    }),
    /** A cancelled attempt has no lease: `lease_lost`, with `cancellation` beside it. */
    output: z.object({ taskId: id, leaseUntil: time, cancellation: cancelNotice.nullable() }),
    errors: ["task_not_found", "lease_lost"],
    permission: { scope: "tasks:result", agent: "self", token: true },
    idempotency: "natural",
  }),
  cancellation: operation({
    id: "tasks.cancellation",
    summary: "The agent's word on a cancelled attempt, under its token: it heard of it, has stopped, or will not stop.",
    method: "POST",
    path: "/v1/opscore/tasks/{taskId}/cancellation",
    params: taskParams,
    body: cancelReceipt,
    output: receiptAnswer,
    errors: ["task_not_found", "lease_lost", "not_cancelled"],
    permission: { scope: "tasks:result", agent: "self", token: true },
    idempotency: "natural",
  }),
  redrive: operation({
    id: "tasks.redrive",
    summary: "Do a dead letter again: as a new task, or, where it is part of a session, by a retry of that session.",
    method: "POST",
    path: "/v1/opscore/tasks/{taskId}/redrive",
    params: taskParams,
    /** The new task, or the new session. */
    output: z.object({ redriveOf: id, taskId: id.nullable(), sessionId: id.nullable() }),
    status: 202,
    errors: ["task_not_found", "task_not_dead_letter", "session_open"],
    permission: { scope: "tasks:write" },
    idempotency: "key",
  }),
  cancel: operation({
    id: "tasks.cancel",
    summary: "Cancel a stand-alone task; a session's task is cancelled with its session.",
    method: "POST",
    path: "/v1/opscore/tasks/{taskId}/cancel",
    params: taskParams,
    output: task.extend(cancelled),
    errors: ["task_not_found", "task_terminal"],
    permission: { scope: "tasks:write" },
    idempotency: "natural",
  }),
  events: taskEvents,
};

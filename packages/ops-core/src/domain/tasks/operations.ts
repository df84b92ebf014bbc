import { formatTime, type OperationInput, type operations, stringifyJson } from "@opspawn/contract";
import { blockedView } from "../blocked-view.ts";
import { leaseLost } from "../cancellations/lease-lost.ts";
import { SECOND } from "../clock.ts";
import { listOfTask } from "../events/operations.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import { invalidField } from "../request-fields.ts";
import { createTask } from "./create.ts";
import { explainTask } from "./explanation.ts";
import { redriveTask } from "./redrive.ts";
import type { AttemptOutcome } from "./task.ts";
import type { TaskStatus } from "./transitions.ts";
import { needTask, progressView, taskDetailView, taskView, withCancellations } from "./view.ts";

type ResultBody = OperationInput<typeof operations.tasks.result>["body"];

const UNKNOWN_FAILURE: NonNullable<ResultBody["error"]> = { code: "agent_error", message: "" };

export function taskHandlers(ports: Ports): NounHandlers<"tasks"> {
  const { store } = ports;
  return {
    async create(context, { body }) {
      return taskView(await createTask(ports, context, body));
    },
    async list(_context, { query }) {
      const { deadLetter, redriven, status, session, agent, capability, blockedReason, ...page } = query;
      const filter = {
        status,
        session,
        agent,
        capability,
        blockedReason,
        deadLetter: deadLetter === "true" ? true : undefined,
        redriven: redriven === "false" ? (false as const) : undefined,
      };
      const { items, nextCursor } = await store.tasks.list(page, filter);
      return { items: items.map(taskView), nextCursor };
    },
    async get(_context, { params }) {
      return taskDetailView(store, await needTask(store, params.taskId));
    },
    async why(_context, { params }) {
      const task = await needTask(store, params.taskId);
      const blocked = await store.tasks.why(task.id);
      const explanation = await explainTask(store, task, blocked);
      return { taskId: task.id, status: task.status, blocked: blockedView(blocked), explanation };
    },
    async result(_context, { params, body }) {
      const settled = await store.attempts.settle(params.taskId, body.token, outcomeOf(body));
      if (settled.type === "stale") {
        const message = "This attempt has ended or was given away; its outcome does not count.";
        throw leaseLost(message, settled.cancellation ?? null);
      }
      return { taskId: params.taskId, status: settled.taskStatus as TaskStatus, accepted: true };
    },
    async lease(_context, { params, body }) {
      const { leaseUntil } = await store.attempts.extendLease(params.taskId, body.token, body.resend === true);
      return { taskId: params.taskId, leaseUntil: formatTime(leaseUntil), cancellation: null };
    },
    async cancellation(_context, { params, body }) {
      const { token, status, note } = body;
      const receipt = { status, note: note === undefined || note === "" ? null : note };
      const { id, taskId, stage } = await store.cancellations.confirm(params.taskId, token, receipt);
      return { taskId, cancellationId: id, stage };
    },
    async progress(_context, { params, body }) {
      const { counter = null, note = null } = body;
      const noted = await store.attempts.progress(params.taskId, body.token, { counter, note });
      if (noted.type === "stale") {
        throw leaseLost(`This attempt is ${noted.attemptStatus}; stop the work on it.`, noted.cancellation);
      }
      const leaseUntil = formatTime(noted.leaseUntil);
      return { taskId: params.taskId, leaseUntil, progress: progressView(noted.progress), cancellation: null };
    },
    redrive: (context, input) => redriveTask(ports, context, input),
    async cancel(_context, { params }) {
      const task = await needTask(store, params.taskId);
      if (task.sessionId !== null) {
        throw invalidField(["path", "taskId"], `is a task of session ${task.sessionId}; cancel the session instead`);
      }
      return withCancellations(store, taskView(await store.tasks.cancel(task.id, "Cancelled by request.")));
    },
    events: (context, input) => listOfTask(ports, context, input),
  };
}

/** What an agent says under its token, or the gateway that delivered the task, as the rules know it. */
function outcomeOf(body: ResultBody): AttemptOutcome {
  const evidence = body.delivery === undefined ? "result" : "answer";
  if (body.status === "completed") {
    const result = body.result === undefined || body.result === null ? null : stringifyJson(body.result);
    return { type: "succeeded", result, evidence };
  }
  const { code, message, retryable, retryAfter } = body.error ?? UNKNOWN_FAILURE;
  const undelivered = body.delivery === "unavailable" || body.delivery === "rejected" ? body.delivery : null;
  return {
    type: "failed",
    reason: undelivered ?? "agent_error",
    error: retryable === undefined ? { code, message } : { code, message, retryable },
    // How a delivery went says nothing of the way in which the agent tells outcomes.
    evidence: undelivered === null ? evidence : null,
    ...(retryAfter === undefined ? {} : { retryAfter: Math.round(retryAfter * SECOND) }),
  };
}

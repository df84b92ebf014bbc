import { type OperationInput, type operations, stringifyJson } from "@opspawn/contract";
import { nameOf } from "../approvals/deciders.ts";
import { blockedView } from "../blocked-view.ts";
import { cancellationView } from "../cancellations/view.ts";
import { DAY } from "../clock.ts";
import type { Context } from "../context.ts";
import { listOfSession } from "../events/operations.ts";
import { idempotencyOf } from "../idempotency.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import { invalidField, readDuration, readLabel, readTime, readWait } from "../request-fields.ts";
import { sessionKey } from "../waiters.ts";
import { explainSession } from "./explanation.ts";
import { forkSession, retrySession } from "./fork.ts";
import type { SessionFilter, SessionRecord } from "./session.ts";
import { type SessionRequest, startSession, type WorkflowSource } from "./start.ts";
import { firstCancellations, hasEnded, needSession, sessionDetailView, sessionView } from "./view.ts";

type StartBody = OperationInput<typeof operations.sessions.start>["body"];
type ListQuery = OperationInput<typeof operations.sessions.list>["query"];

const DELAY_MAX = 365 * DAY;
const CANCEL_REASON = "Cancelled by request.";

export function sessionHandlers(ports: Ports): NounHandlers<"sessions"> {
  const { store } = ports;
  return {
    async start(context, { body }) {
      const { session, replayed } = await startSession(ports, toRequest(context, body));
      context.replayed = replayed;
      const { id, workflowId, workflowVersion, status } = session;
      return { sessionId: id, workflowId, workflowVersion, status };
    },
    async get(context, { params, query }) {
      const ms = readWait(query.wait, ["query", "wait"]);
      const session = await (ms === 0
        ? needSession(store, params.sessionId)
        : awaitEnd(ports, context, params.sessionId, ms));
      return sessionDetailView(ports, session);
    },
    async list(_context, { query }) {
      const { limit, cursor } = query;
      const { items, nextCursor } = await store.sessions.list({ limit, cursor }, toFilter(query));
      return { items: items.map(sessionView), nextCursor };
    },
    retry: (context, input) => retrySession(ports, context, input),
    fork: (context, input) => forkSession(ports, context, input),
    async pause({ actor }, { params, body }) {
      return sessionView(await store.sessions.pause(params.sessionId, nameOf(actor), body?.reason ?? null));
    },
    async resume({ actor }, { params }) {
      return sessionView(await store.sessions.resume(params.sessionId, nameOf(actor)));
    },
    async cancel(_context, { params, body }) {
      const session = await store.sessions.cancel(params.sessionId, body?.reason ?? CANCEL_REASON);
      return { ...sessionView(session), cancellations: await firstCancellations(store, session.id) };
    },
    async cancellations(_context, { params, query }) {
      await needSession(store, params.sessionId);
      const { items, nextCursor } = await store.cancellations.ofSession(params.sessionId, query);
      return { items: items.map(cancellationView), nextCursor };
    },
    async signal(context, { params, body }) {
      const idempotency = idempotencyOf(context, "sessions.signal", { ...params, body: body ?? null });
      const { sessionId, name } = params;
      const payload = stringifyJson(body?.payload ?? null);
      const { delivered, replayed } = await store.sessions.signal({ sessionId, name, payload, idempotency });
      context.replayed = replayed;
      return { sessionId, name, delivered };
    },
    async label(_context, { params, body }) {
      return sessionView(await store.sessions.label(params.sessionId, body.labels));
    },
    async why(_context, { params }) {
      const session = await needSession(store, params.sessionId);
      const { blocked, sentences } = await explainSession(ports, session);
      const explanation = [...sentences];
      return { sessionId: session.id, status: session.status, blocked: blockedView(blocked), explanation };
    },
    events: (context, input) => listOfSession(ports, context, input),
  };
}

function toRequest(context: Context, body: StartBody): SessionRequest {
  const { delay, callbackUrl } = body;
  return {
    source: sourceOf(body),
    input: body.input ?? null,
    inputLoc: ["body", "input"],
    agentId: body.agentId ?? null,
    labels: body.labels,
    priority: body.priority,
    delay: delay === undefined ? 0 : readDuration(delay, ["body", "delay"], DELAY_MAX, "365d"),
    callbackUrl: callbackUrl ?? null,
    idempotency: idempotencyOf(context, "sessions.start", body),
  };
}

function sourceOf({ workflowId, workflow, version }: StartBody): WorkflowSource {
  if ((workflowId === undefined) === (workflow === undefined)) {
    throw invalidField(["body", "workflowId"], "give either workflowId or workflow, and not both");
  }
  if (workflow === undefined) return { kind: "saved", id: workflowId ?? "", version };
  if (version !== undefined)
    throw invalidField(["body", "version"], "belongs to workflowId; an inline workflow has its own");
  return { kind: "inline", document: workflow, loc: ["body", "workflow"], mode: "strict", save: false };
}

/** The session once it has ended, or as it is when the time is over. */
async function awaitEnd(ports: Ports, context: Context, sessionId: string, ms: number): Promise<SessionRecord> {
  const wait = ports.waiters.open([sessionKey(sessionId)], ms, context.signal, context.actor.agentId);
  try {
    const { sessions } = ports.store;
    const status = await sessions.status(sessionId);
    const isOpen = status !== null && !hasEnded({ status });
    while (isOpen && (await wait.next())) {
      const session = await needSession(ports.store, sessionId);
      if (hasEnded(session)) return session;
    }
    return await needSession(ports.store, sessionId);
  } finally {
    wait.close();
  }
}

function toFilter(query: ListQuery): SessionFilter {
  const { status, workflow, agent, blockedReason, parent } = query;
  return {
    status,
    workflow,
    agent,
    blockedReason,
    parent,
    label: readLabel(query.label, ["query", "label"]),
    since: readTime(query.since, ["query", "since"]),
    until: readTime(query.until, ["query", "until"]),
  };
}

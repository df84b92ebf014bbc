import {
  type CancellationView,
  formatTime,
  OpspawnError,
  type SessionDetailView,
  type SessionView,
} from "@opspawn/contract";
import { blockedView, timeOrNull } from "../blocked-view.ts";
import { cancellationView } from "../cancellations/view.ts";
import type { Ports } from "../ports.ts";
import type { Store } from "../store.ts";
import { readStored } from "../stored-json.ts";
import { terminalStates } from "../transition-table.ts";
import type { PlanStep } from "../workflows/plan.ts";
import type { SessionRecord, StepRecord } from "./session.ts";
import { type SessionStatus, sessionTable } from "./transitions.ts";

const CANCELLATIONS_SHOWN = 50;
const ENDED: ReadonlySet<SessionStatus> = new Set(terminalStates(sessionTable));

export function hasEnded(session: Pick<SessionRecord, "status">): boolean {
  return ENDED.has(session.status);
}

export function sessionView(session: SessionRecord): SessionView {
  return {
    sessionId: session.id,
    workflowId: session.workflowId,
    workflowVersion: session.workflowVersion,
    agentId: session.agentId,
    status: session.status,
    labels: { ...session.labels },
    result: readStored(session.result),
    error: session.error,
    failedSteps: [...session.failedSteps],
    uncertainSteps: [...session.uncertainSteps],
    compensation: session.compensation,
    parentSessionId: session.parentId,
    forkedFrom: session.forkedFrom,
    priority: session.priority,
    createdAt: formatTime(session.createdAt),
    updatedAt: formatTime(session.updatedAt),
    endedAt: timeOrNull(session.endedAt),
    blocked: blockedView(session.blocked),
  };
}

/** A session with all steps of its plan, those that nothing has touched yet included. */
export async function sessionDetailView(ports: Ports, session: SessionRecord): Promise<SessionDetailView> {
  const { store, plans } = ports;
  const [touched, plan] = await Promise.all([store.sessions.steps(session.id), plans.stored(session.planHash)]);
  const byIndex = new Map(touched.map((step) => [step.index, step]));
  const steps = plan.steps.map((step) => stepView(step, byIndex.get(step.index), hasEnded(session)));
  // Of a session that completed nothing of its own was cancelled; it is read most, and need not be asked.
  const cancellations = session.status === "completed" ? [] : await firstCancellations(store, session.id);
  return { ...sessionView(session), input: readStored(session.input), steps, cancellations };
}

/** The first ones of a session and those within it; a list of its own tells them all. */
export async function firstCancellations(store: Store, sessionId: string): Promise<CancellationView[]> {
  const { items } = await store.cancellations.ofSession(sessionId, { limit: CANCELLATIONS_SHOWN });
  return items.map(cancellationView);
}

/** What is known of a step that nothing has touched. */
const UNTOUCHED: Omit<StepRecord, "index"> = {
  status: "pending",
  taskId: null,
  agentId: null,
  attempts: 0,
  startedAt: null,
  endedAt: null,
  error: null,
  items: null,
  iteration: 0,
  wakeAt: null,
  signal: null,
  childId: null,
  approvalId: null,
  source: null,
};

function stepView(step: PlanStep, touched: StepRecord | undefined, ended: boolean): SessionDetailView["steps"][number] {
  const { status, wakeAt, childId, source, startedAt, endedAt, ...known } = touched ?? {
    ...UNTOUCHED,
    index: step.index,
  };
  return {
    stepId: step.id,
    name: step.name,
    // What has not begun when the session ends never will.
    status: ended && status === "pending" ? "skipped" : status,
    taskId: known.taskId,
    agentId: known.agentId,
    attempts: known.attempts,
    startedAt: timeOrNull(startedAt),
    endedAt: timeOrNull(endedAt),
    error: known.error,
    items: known.items,
    iteration: known.iteration,
    waitsUntil: timeOrNull(wakeAt),
    signal: known.signal,
    childSessionId: childId,
    approvalId: known.approvalId,
    fromSessionId: source,
  };
}

export async function needSession(store: Store, sessionId: string): Promise<SessionRecord> {
  const session = await store.sessions.get(sessionId);
  if (session === null) throw new OpspawnError("session_not_found", `Session not found: ${sessionId}`);
  return session;
}

import { type Issue, type JsonObject, type JsonValue, OpspawnError, stringifyJson } from "@opspawn/contract";
import { needAgent } from "../agents/view.ts";
import { repeatable } from "../idempotency.ts";
import type { Loc } from "../issues.ts";
import type { Ports } from "../ports.ts";
import { readEndpoint } from "../request-fields.ts";
import type { Idempotency } from "../store.ts";
import { checkInput } from "../workflows/data.ts";
import { readDefinition } from "../workflows/definition.ts";
import type { WorkflowPlan } from "../workflows/plan.ts";
import type { Mode } from "../workflows/step-definition.ts";
import { wantsAgent } from "../workflows/targets.ts";
import { workflowNotFound } from "../workflows/view.ts";
import type { SessionRecord } from "./session.ts";

/** Which workflow: one that was saved, or one that comes with the request. */
export type WorkflowSource =
  | { readonly kind: "saved"; readonly id: string; readonly version?: string | undefined }
  | {
      readonly kind: "inline";
      readonly document: JsonObject;
      /** Where it stands in the request. */
      readonly loc: Loc;
      readonly mode: Mode;
      /** Save it under its id when that id is new, as the originals did. */
      readonly save: boolean;
    };

/** A session to start; what the request said is checked here, whichever route it came by. */
export interface SessionRequest {
  readonly source: WorkflowSource;
  readonly input: JsonValue | null;
  /** Where the input stands in the request. */
  readonly inputLoc: Loc;
  /** The agent for steps that name none. */
  readonly agentId: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Added to the priority of each step. Default: 0. */
  readonly priority?: number;
  /** Microseconds from now. */
  readonly delay: number;
  /** As it was asked for. */
  readonly callbackUrl: string | null;
  readonly idempotency: Idempotency | undefined;
}

export interface StartedSession {
  readonly session: SessionRecord;
  readonly replayed: boolean;
}

/**
 * Starts a session. The definition is looked at first, then the agent, then the input.
 * @throws OpspawnError `workflow_not_found`, `workflow_invalid`, `agent_not_found`, `no_target`, `input_invalid`,
 *   `invalid_request`, `endpoint_refused`, `idempotency_key_reused`
 */
export async function startSession(ports: Ports, request: SessionRequest): Promise<StartedSession> {
  const { value, replayed } = await repeatable(ports.store.answers, request.idempotency, () => start(ports, request));
  return { session: value, replayed };
}

async function start(ports: Ports, request: SessionRequest): Promise<{ value: SessionRecord; replayed: boolean }> {
  const { store, clock, ids } = ports;
  const { callbackUrl } = request;
  const { plan, hash, document } = await resolve(ports, request.source);
  if (request.agentId !== null) await needAgent(store, request.agentId);
  checkStart(plan, request);
  const { session, replayed } = await store.sessions.start({
    sessionId: ids.uuid(),
    workflowId: plan.id,
    workflowVersion: plan.version,
    planHash: hash,
    document,
    agentId: request.agentId,
    input: request.input === null ? null : stringifyJson(request.input),
    labels: request.labels,
    priority: request.priority ?? 0,
    startAt: clock.now() + request.delay,
    callbackUrl: callbackUrl === null ? null : readEndpoint(callbackUrl, ["body", "callbackUrl"], ports.decideUrl),
    saveWorkflow: request.source.kind === "inline" && request.source.save,
    idempotency: request.idempotency,
  });
  return { value: session, replayed };
}

interface Resolved {
  readonly plan: WorkflowPlan;
  readonly hash: string;
  readonly document: string;
}

async function resolve({ store, plans }: Ports, source: WorkflowSource): Promise<Resolved> {
  if (source.kind === "inline") {
    const { plan, hash, text } = readDefinition(source.document, source.loc, source.mode);
    return { plan, hash, document: text };
  }
  const workflow = await store.workflows.get(source.id, source.version);
  if (workflow === null) throw workflowNotFound(source.id, source.version);
  const { hash, document } = workflow;
  return { plan: plans.of(hash, document), hash, document };
}

/**
 * What a definition asks of whoever starts it.
 * @throws OpspawnError `no_target`, `input_invalid`
 */
export function checkStart(plan: WorkflowPlan, request: Pick<SessionRequest, "agentId" | "input" | "inputLoc">): void {
  if (request.agentId === null) checkTargets(plan);
  checkSessionInput(plan, request);
}

/** Without an agent in the request, each step has to say who does it. */
function checkTargets(plan: WorkflowPlan): void {
  const open = plan.steps.filter(wantsAgent).map((step) => `\`${step.id}\``);
  if (open.length === 0) return;
  const shown = open.slice(0, 5).join(", ") + (open.length > 5 ? ` and ${open.length - 5} more` : "");
  const msg = `no agent or capability is named for ${shown}; name one there, or start with an agentId`;
  const issue: Issue = { loc: ["body", "agentId"], msg, type: "missing" };
  throw new OpspawnError("no_target", `In workflow \`${plan.id}\`, ${msg}.`, { issues: [issue] });
}

function checkSessionInput(plan: WorkflowPlan, { input, inputLoc }: Pick<SessionRequest, "input" | "inputLoc">): void {
  refuseInput(plan, checkInput(plan, input), inputLoc);
}

/**
 * @param loc where in the request the value stands that has the issues
 * @throws OpspawnError `input_invalid`, unless there are none
 */
export function refuseInput(plan: WorkflowPlan, found: readonly Issue[], loc: Loc): void {
  if (found.length === 0) return;
  const issues = found.map((issue) => ({ ...issue, loc: [...loc, ...issue.loc] }));
  throw new OpspawnError("input_invalid", `The input does not fit workflow \`${plan.id}\`.`, { issues });
}

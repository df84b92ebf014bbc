import { type OperationInput, type OperationOutput, operations, stringifyJson } from "@opspawn/contract";
import { needAgent } from "../agents/view.ts";
import type { Context } from "../context.ts";
import { idempotencyOf, repeatable } from "../idempotency.ts";
import type { Ports } from "../ports.ts";
import { invalidField } from "../request-fields.ts";
import { checkInput, checkParameters } from "../workflows/data.ts";
import type { PlanStep, WorkflowPlan } from "../workflows/plan.ts";
import type { ForkSession } from "./session.ts";
import { refuseInput } from "./start.ts";
import { needSession } from "./view.ts";

const { retry, fork } = operations.sessions;
type Retry = OperationInput<typeof retry>;
type Fork = OperationInput<typeof fork>;
type Asked = Pick<ForkSession, "from" | "input" | "parameters" | "labels">;
type Answer = OperationOutput<typeof fork>;

/**
 * Begins a session where another one failed or was cancelled.
 * @throws OpspawnError `session_not_found`, `session_open`, `session_completed`, `agent_not_found`,
 *   `idempotency_key_reused`
 */
export function retrySession(ports: Ports, context: Context, { params, body }: Retry): Promise<Answer> {
  const labels = body?.labels;
  const asked: Asked = { from: null, ...(labels === undefined ? {} : { labels }) };
  return begin(ports, context, params.sessionId, { operation: retry.id, body: body ?? null, read: () => asked });
}

/**
 * Begins a session at a step of another one.
 * @throws OpspawnError as `retrySession`, and `invalid_request`, `input_invalid`, `step_not_finished`
 */
export function forkSession(ports: Ports, context: Context, { params, body }: Fork): Promise<Answer> {
  const read = (plan: WorkflowPlan): Asked => readFork(plan, body);
  return begin(ports, context, params.sessionId, { operation: fork.id, body, read });
}

interface Request {
  readonly operation: string;
  readonly body: unknown;
  readonly read: (plan: WorkflowPlan) => Asked;
}

async function begin(ports: Ports, context: Context, sourceId: string, request: Request): Promise<Answer> {
  const { store, plans, ids } = ports;
  const idempotency = idempotencyOf(context, request.operation, { sourceId, body: request.body });
  const { value, replayed } = await repeatable(store.answers, idempotency, async () => {
    const source = await needSession(store, sourceId);
    if (source.agentId !== null) await needAgent(store, source.agentId);
    const asked = request.read(await plans.stored(source.planHash));
    const begun = await store.sessions.fork({ ...asked, sessionId: ids.uuid(), sourceId }, idempotency);
    return { value: begun.session, replayed: begun.replayed };
  });
  context.replayed = replayed;
  const { id, workflowId, workflowVersion, status } = value;
  return { sessionId: id, workflowId, workflowVersion, status, forkedFrom: sourceId };
}

function readFork(plan: WorkflowPlan, { from, input, parameters, labels }: Fork["body"]): Asked {
  const step = plan.steps[plan.byId.get(from) ?? -1];
  if (step === undefined) throw invalidField(["body", "from"], `workflow \`${plan.id}\` has no step \`${from}\``);
  if (step.reserveOf?.role === "fallback") {
    const owner = plan.steps[step.reserveOf.step]?.id;
    throw invalidField(["body", "from"], `\`${from}\` stands in for \`${owner}\`; fork from that one`);
  }
  if (input !== undefined) refuseInput(plan, checkInput(plan, input), ["body", "input"]);
  if (parameters !== undefined) {
    if (!takesParameters(step)) {
      const msg = `\`${from}\` is not one task of an agent or a tool; give the session's \`input\` instead`;
      throw invalidField(["body", "parameters"], msg);
    }
    refuseInput(plan, checkParameters(step, parameters), ["body", "parameters"]);
  }
  return {
    from: step.index,
    ...(input === undefined ? {} : { input: input === null ? null : stringifyJson(input) }),
    ...(parameters === undefined ? {} : { parameters: stringifyJson(parameters) }),
    ...(labels === undefined ? {} : { labels }),
  };
}

function takesParameters({ kind, forEach, repeat }: PlanStep): boolean {
  return (kind === "agent" || kind === "tool") && forEach === null && repeat === null;
}

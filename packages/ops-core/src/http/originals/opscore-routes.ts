import { type JsonValue, originalOperations, parseJson, stringifyJson } from "@opspawn/contract";
import type { FastifyInstance } from "fastify";
import type { Ports } from "../../domain/ports.ts";
import { OriginalError } from "../errors.ts";
import type { Gate } from "../gate.ts";
import { stateReport } from "./bodies.ts";
import { addNotifyRoute, type NotifyRules } from "./notify.ts";
import { addOriginalRoute, type OriginalAnswer, type OriginalRequest, STATE_BYTES } from "./route.ts";
import { readBody } from "./schema.ts";
import { parseStateTime } from "./state-time.ts";
import { triggerWorkflow } from "./trigger.ts";
import { formatWireTime, wireTimeMicros, wireTimeOf } from "./wire-time.ts";

/** Ops-Core: states, triggers and notifications, as its clients know them. */
export function addOpsCoreRoutes(app: FastifyInstance, ports: Ports, gate: Gate, rules: NotifyRules): void {
  app.get("/health", { config: { original: true } }, () => ({ status: "ok" }));
  addNotifyRoute(app, ports, gate, rules);
  const small = { bodyLimit: STATE_BYTES };
  addOriginalRoute(app, gate, originalOperations.reportState, (request) => reportState(ports, request), small);
  addOriginalRoute(app, gate, originalOperations.readState, ({ agentId }) => readState(ports, agentId));
  addOriginalRoute(app, gate, originalOperations.trigger, (request) => triggerWorkflow(ports, request));
}

async function reportState(ports: Ports, { agentId, body }: OriginalRequest): Promise<OriginalAnswer> {
  const report = readBody(stateReport, body);
  if (report.agentId !== agentId) {
    throw new OriginalError("invalid_request", 400, "Agent ID in path does not match agent ID in payload");
  }
  const written = parseStateTime(report.timestamp);
  const { details } = report;
  const taskId = details?.opscore_task_id;
  await ports.store.agents.report({
    agentId,
    state: report.state,
    details: details === null ? null : stringifyJson(details),
    timestamp: formatWireTime(written ?? wireTimeOf(ports.clock.now())),
    reportedAt: written === null ? null : wireTimeMicros(written),
    taskId: typeof taskId === "string" ? taskId : null,
  });
  return { status: 202, body: { status: "success", message: "State update accepted" } };
}

async function readState({ store }: Ports, agentId: string): Promise<OriginalAnswer> {
  const agent = await store.agents.get(agentId);
  if (agent === null) throw new OriginalError("agent_not_found", 404, `No state found for agent ${agentId}`);
  const details: JsonValue = agent.details === null ? null : parseJson(agent.details);
  return { status: 200, body: { agentId, state: agent.state, details, timestamp: wireText(agent.timestamp) } };
}

/** Times the server sets have six digits; the originals show none when they are zero. */
function wireText(timestamp: string): string {
  return timestamp.replace(/\.000000(?=Z$)/, "");
}

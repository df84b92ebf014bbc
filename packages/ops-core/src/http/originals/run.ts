import { isJsonObject, type JsonValue, OpspawnError, stringifyJson } from "@opspawn/contract";
import type { Actor } from "../../domain/context.ts";
import { idempotencyOf, repeatable } from "../../domain/idempotency.ts";
import { type AgentMessage, sendMessage, sendTask } from "../../domain/messages/send.ts";
import { readTicket } from "../../domain/messages/ticket.ts";
import type { Ports } from "../../domain/ports.ts";
import type { AgentRecord, Idempotency } from "../../domain/store.ts";
import { invokeTool, type ToolOutcome } from "../../domain/tools/invoke.ts";
import type { Tool } from "../../domain/tools/tool.ts";
import { OriginalError } from "../errors.ts";
import { isTruthy, message } from "./bodies.ts";
import { failure, success } from "./envelope.ts";
import type { OriginalAnswer, OriginalRequest } from "./route.ts";
import { readBody, type Value } from "./schema.ts";
import { formatWireTime, wireTimeOf } from "./wire-time.ts";

type Message = Value<typeof message>;

const TOOL_INVOCATION = "tool_invocation";

/** A message for an agent is stored and delivered later; a tool is called at once. Both answer 202. */
export async function runMessage(ports: Ports, asked: OriginalRequest): Promise<OriginalAnswer> {
  const { context, agentId, body } = asked;
  const sent = readBody(message, body);
  checkSender(context.actor, sent.senderId);
  if (sent.messageType === TOOL_INVOCATION) {
    await needAgent(ports, agentId);
    return runTool(ports, sent);
  }
  const idempotency = idempotencyOf(context, "messages.send", { agentId, body: body ?? null });
  const { replayed } = await repeatable(ports.store.answers, idempotency, async () => {
    const agent = await needEndpoint(ports, agentId, sent.messageType);
    const timestamp = formatWireTime(sent.timestamp ?? wireTimeOf(ports.clock.now()));
    const done = await take(ports, agent, { ...sent, timestamp }, asked, idempotency);
    return { value: null, replayed: done.replayed };
  });
  context.replayed = replayed;
  const data = { agentId, dispatch_status: "scheduled" };
  return { status: 202, body: success(`Task accepted for agent ${agentId}. Dispatch scheduled.`, data) };
}

async function needAgent({ store }: Ports, agentId: string): Promise<AgentRecord> {
  const agent = await store.agents.get(agentId);
  if (agent === null) throw new OriginalError("agent_not_found", 404, `Agent with ID '${agentId}' not found.`);
  return agent;
}

async function needEndpoint(ports: Ports, agentId: string, messageType: string): Promise<AgentRecord> {
  const agent = await needAgent(ports, agentId);
  if (agent.endpoint !== null) return agent;
  const why = `Agent '${agentId}' has no registered contact endpoint. Cannot dispatch message type '${messageType}'.`;
  throw new OriginalError("invalid_request", 400, why);
}

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** With an Ops-Core elsewhere a message may be a task of its; else `opspawn` is a key like any unknown one. */
function take(
  ports: Ports,
  agent: AgentRecord,
  message: AgentMessage,
  { context, body, request }: OriginalRequest,
  idempotency: Idempotency | undefined,
) {
  const given = isJsonObject(body) && ports.opsCoreOrigin !== null ? body.opspawn : undefined;
  const ticket = readTicket(given);
  if (ticket === null) return sendMessage(ports, agent, message, idempotency);
  const sent = request.headers.traceparent;
  const traceparent = typeof sent === "string" && TRACEPARENT.test(sent) ? sent : null;
  return sendTask(ports, agent, { message, ticket, traceparent }, context);
}

/** Who speaks is told by the key, not by the message. */
function checkSender(actor: Actor, senderId: string): void {
  if (actor.agentId === null || actor.agentId === senderId) return;
  throw new OpspawnError("forbidden", `This key speaks for agent ${actor.agentId} only; senderId says ${senderId}.`);
}

async function runTool(ports: Ports, { payload }: Message): Promise<OriginalAnswer> {
  const name = payload.tool_name;
  if (typeof name !== "string" || name === "") {
    const missing = "Missing 'tool_name' in payload for tool_invocation message type.";
    throw new OriginalError("invalid_request", 400, missing);
  }
  const tool = await ports.store.tools.get(name);
  if (tool === null) {
    throw new OriginalError("tool_not_found", 404, `Tool '${name}' not found in registry (local or external).`);
  }
  const args = payload.arguments;
  return toolAnswer(tool, await invokeTool(ports, tool, args === undefined ? {} : args));
}

function toolAnswer(tool: Tool, outcome: ToolOutcome): OriginalAnswer {
  const { name } = tool;
  switch (outcome.kind) {
    case "answer":
      return { status: 202, body: answered(name, outcome.data) };
    case "status":
      throw new OriginalError(
        "upstream_failed",
        outcome.status,
        `External tool '${name}' returned error: Status ${outcome.status}`,
      );
    case "timeout":
      throw new OriginalError("upstream_timeout", 504, `Request to external tool '${name}' timed out.`);
    case "unreachable":
      throw new OriginalError(
        "upstream_unreachable",
        503,
        `Could not connect to external tool '${name}' at ${tool.endpoint}.`,
      );
    case "unreadable": {
      const why = "the answer is not JSON";
      throw new OriginalError(
        "upstream_failed",
        500,
        `An unexpected error occurred while calling external tool '${name}': ${why}`,
      );
    }
  }
}

function answered(name: string, data: JsonValue) {
  if (!isJsonObject(data) || data.status !== "error") {
    return success(`External tool '${name}' executed successfully.`, data);
  }
  const said = isTruthy(data.error_message) ? (data.error_message as JsonValue) : "Unknown tool error";
  const why = typeof said === "string" ? said : stringifyJson(said);
  return failure(`External tool '${name}' execution failed: ${why}`, data, "EXTERNAL_TOOL_EXECUTION_FAILED");
}

import type { JsonObject, originalOperations } from "@opspawn/contract";
import { failure, success } from "./envelope.ts";

const AGENT = "01890a5d-ac96-774b-bcce-b302099a8057";

interface Example {
  /** A valid body; none for routes that take none. */
  readonly request?: JsonObject;
  readonly status: 200 | 201 | 202;
  readonly response: JsonObject;
  /** What is refused, by status. */
  readonly refusals: Readonly<Record<number, string>>;
}

const UNAUTHORIZED = { 401: "Authorization header missing", 403: "This key speaks for another agent." } as const;
const NO_SUCH_AGENT = `Agent with ID '${AGENT}' not found.`;

/** A conversation for each route of the originals. */
export const ORIGINAL_EXAMPLES: Readonly<Record<keyof typeof originalOperations, Example>> = {
  register: {
    request: {
      agentName: "ResponderAgent",
      capabilities: ["respond"],
      version: "1.0",
      contactEndpoint: "http://127.0.0.1:9001/receive_message",
      metadata: { description: "Answers", config: { maxConcurrency: 4 } },
    },
    status: 201,
    response: success("Agent 'ResponderAgent' registered successfully.", { agentId: AGENT }),
    refusals: { ...UNAUTHORIZED, 409: "Agent with name 'ResponderAgent' already registered." },
  },
  listAgents: {
    status: 200,
    response: success("Agents retrieved successfully.", [
      {
        agentId: AGENT,
        agentName: "ResponderAgent",
        capabilities: ["respond"],
        version: "1.0",
        contactEndpoint: "http://127.0.0.1:9001/receive_message",
        metadata: null,
        registration_time: "2026-11-20T23:58:08.842560Z",
      },
    ]),
    refusals: UNAUTHORIZED,
  },
  deregister: {
    status: 200,
    response: success(`Agent ${AGENT} deregistered successfully.`, { agentId: AGENT }),
    refusals: { ...UNAUTHORIZED, 404: NO_SUCH_AGENT },
  },
  run: {
    request: {
      senderId: "sender",
      messageType: "tool_invocation",
      payload: { tool_name: "weather", arguments: { place: "Oslo" } },
      sessionContext: { sessionId: "s1", priorMessages: [] },
    },
    status: 202,
    response: failure(
      "External tool 'weather' execution failed: no such place",
      { status: "error" },
      "EXTERNAL_TOOL_EXECUTION_FAILED",
    ),
    refusals: {
      ...UNAUTHORIZED,
      400: "Missing 'tool_name' in payload for tool_invocation message type.",
      404: NO_SUCH_AGENT,
      503: "Could not connect to external tool 'weather' at https://tools.example.com/weather.",
      504: "Request to external tool 'weather' timed out.",
    },
  },
  notify: {
    request: {
      event_type: "REGISTER",
      agent_details: {
        agentId: AGENT,
        agentName: "ResponderAgent",
        version: "1.0",
        capabilities: ["respond"],
        contactEndpoint: "http://127.0.0.1:9001/receive_message",
        metadata: {},
      },
    },
    status: 200,
    response: { status: "success", message: `Agent ${AGENT} registered successfully.` },
    refusals: {
      400: "Unknown event type: RENAME",
      401: "The message is not signed, and a secret is set.",
      409: "This signed message was received before.",
    },
  },
  reportState: {
    request: { agentId: AGENT, timestamp: "2026-11-20T23:58:08.842560+00:00", state: "idle", details: null },
    status: 202,
    response: { status: "success", message: "State update accepted" },
    refusals: {
      ...UNAUTHORIZED,
      400: "Agent ID in path does not match agent ID in payload",
      404: `Agent not found: ${AGENT}`,
    },
  },
  readState: {
    status: 200,
    response: { agentId: AGENT, state: "idle", details: null, timestamp: "2026-11-20T23:58:08.842560Z" },
    refusals: { ...UNAUTHORIZED, 404: `No state found for agent ${AGENT}` },
  },
  trigger: {
    request: { workflowDefinitionId: "review-article", initialPayload: { url: "https://example.com/article" } },
    status: 202,
    response: {
      sessionId: "01890a5d-ac96-774b-bcce-b302099a8058",
      workflowId: "review-article",
      message: "Workflow triggered successfully",
    },
    refusals: {
      ...UNAUTHORIZED,
      400: "Missing workflowDefinitionId or workflowDefinition",
      404: "Workflow definition not found: review-article",
    },
  },
};

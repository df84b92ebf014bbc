import { type JsonObject, type JsonValue, jsonNumber } from "@opspawn/contract";
import type { Model } from "./schema.ts";

const string = { kind: "string" } as const;
const dict = { kind: "dict" } as const;
const url = { kind: "url" } as const;
const strings = { kind: "list", of: string } as const;
const nullableString = { kind: "nullable", of: string } as const;
const nullableDict = { kind: "nullable", of: dict } as const;

const none = () => null;
const noStrings = (): readonly string[] => [];

/** `POST /v1/agents/register`. */
export const registration = {
  kind: "model",
  extras: "dropped",
  fields: {
    agentName: { schema: string },
    capabilities: { schema: strings, absent: noStrings },
    version: { schema: string },
    contactEndpoint: { schema: url },
    metadata: {
      schema: {
        kind: "nullable",
        of: {
          kind: "model",
          extras: "dropped",
          fields: {
            description: { schema: nullableString, absent: none },
            config: { schema: nullableDict, absent: none },
          },
        },
      },
      absent: none,
    },
  },
} as const satisfies Model;

/** `POST /v1/agents/{agentId}/run`. An absent `timestamp` is undefined: the time is the caller's to tell. */
export const message = {
  kind: "model",
  extras: "dropped",
  fields: {
    senderId: { schema: string },
    timestamp: { schema: { kind: "datetime" }, absent: () => undefined },
    messageType: { schema: string },
    payload: { schema: dict },
    sessionContext: {
      schema: {
        kind: "nullable",
        of: {
          kind: "model",
          extras: "dropped",
          fields: {
            sessionId: { schema: nullableString, absent: none },
            priorMessages: { schema: { kind: "nullable", of: strings }, absent: noStrings },
          },
        },
      },
      absent: none,
    },
    task_name: { schema: nullableString, absent: none },
    opscore_session_id: { schema: nullableString, absent: none },
    opscore_task_id: { schema: nullableString, absent: none },
  },
} as const satisfies Model;

/** `POST /v1/opscore/internal/agent/notify`. */
export const notification = {
  kind: "model",
  extras: "dropped",
  fields: {
    event_type: { schema: string },
    agent_details: {
      schema: {
        kind: "model",
        // `registration_time` tells a restarted agent from a repeated notice.
        extras: "kept",
        fields: {
          agentId: { schema: string },
          agentName: { schema: string },
          version: { schema: string },
          capabilities: { schema: strings, absent: noStrings },
          contactEndpoint: { schema: url },
          metadata: { schema: dict, absent: (): JsonObject => ({}) },
        },
      },
    },
  },
} as const satisfies Model;

/** `POST /v1/opscore/agent/{agentId}/state`. The timestamp is any text; `parseStateTime` reads it. */
export const stateReport = {
  kind: "model",
  extras: "dropped",
  fields: {
    agentId: { schema: string },
    timestamp: { schema: string },
    state: { schema: string },
    details: { schema: nullableDict, absent: none },
  },
} as const satisfies Model;

/** `POST /v1/opscore/agent/{agentId}/workflow`. Keys of a definition that the originals did not know are kept. */
export const trigger = {
  kind: "model",
  extras: "dropped",
  check: triggerRefusal,
  fields: {
    workflowDefinitionId: { schema: nullableString, absent: none },
    workflowDefinition: {
      schema: {
        kind: "nullable",
        of: {
          kind: "model",
          extras: "kept",
          fields: {
            id: { schema: string },
            name: { schema: string },
            description: { schema: nullableString, absent: none },
            version: { schema: string, absent: () => "1.0" },
            tasks: { schema: { kind: "list", of: dict } },
          },
        },
      },
      absent: none,
    },
    initialPayload: { schema: nullableDict, absent: none },
  },
} as const satisfies Model;

/** Whether a key is present decides the first rule, whether its value is truthy (as in Python) the second. */
function triggerRefusal(input: JsonObject): string | null {
  const { workflowDefinitionId: id, workflowDefinition: definition } = input;
  if (id === undefined && definition === undefined) {
    return "Either workflowDefinitionId or workflowDefinition must be provided";
  }
  if (isTruthy(id) && isTruthy(definition)) {
    return "Provide either workflowDefinitionId or workflowDefinition, not both";
  }
  return null;
}

/** As Python sees it: zero and whatever is empty are false. */
export function isTruthy(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === false) return false;
  const number = jsonNumber(value);
  if (number !== undefined) return number !== 0;
  return typeof value === "object" ? Object.keys(value).length > 0 : value !== "";
}

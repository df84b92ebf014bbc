import type { JsonObject, JsonValue } from "@opspawn/contract";

/** AgentKit's answer: all four keys, in this order. */
export function success(message: string, data: JsonValue): JsonObject {
  return { status: "success", message, data, error_code: null };
}

export function failure(message: string, data: JsonValue, errorCode: string): JsonObject {
  return { status: "error", message, data, error_code: errorCode };
}

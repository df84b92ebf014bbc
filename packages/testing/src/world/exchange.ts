import { type JsonValue, stringifyJson } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "@opspawn/ops-core/testing";

/** Somebody that can be called: an agent, a tool, or a receiver of webhooks. */
export interface Host {
  receive(request: HttpPost): Promise<HttpResult>;
}

export function answered(
  status: number,
  body: JsonValue | undefined,
  headers: Record<string, string> = {},
): HttpResult {
  const bytes = Buffer.from(body === undefined ? "" : stringifyJson(body));
  return { kind: "response", status, headers, body: bytes, truncated: false };
}

/** Bytes may have arrived; nothing came back. */
export function broken(code: string, message: string): HttpResult {
  return { kind: "broken", error: { code, message } };
}

/** Certainly nothing arrived. */
export function unsent(message: string): HttpResult {
  return { kind: "unsent", error: { code: "connect_failed", message } };
}

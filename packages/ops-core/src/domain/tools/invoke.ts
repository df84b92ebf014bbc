import { type JsonValue, parseJson, stringifyJson } from "@opspawn/contract";
import type { HttpResponse, HttpResult } from "../http-client.ts";
import type { Ports } from "../ports.ts";
import { TOOL_TIMEOUT, type Tool } from "./tool.ts";

/** Milliseconds. */
const TIMEOUT = TOOL_TIMEOUT / 1000;

/** What became of a call. The tool's own answer is passed on; what else the other side said is not. */
export type ToolOutcome =
  | { readonly kind: "answer"; readonly data: JsonValue }
  /** It answered 2xx with something that is no JSON. */
  | { readonly kind: "unreadable" }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "timeout" }
  | { readonly kind: "unreachable" };

/** What a tool is sent. @param args JSON text */
export function callBody(args: string): string {
  return `{"arguments":${args}}`;
}

/** Calls an external tool with the body `{arguments}`, once. */
export async function invokeTool(ports: Pick<Ports, "http">, tool: Tool, args: JsonValue): Promise<ToolOutcome> {
  const result = await ports.http.post({
    url: tool.endpoint,
    headers: { "content-type": "application/json" },
    body: callBody(stringifyJson(args)),
    headersTimeout: TIMEOUT,
    deadline: TIMEOUT,
  });
  return readOutcome(result);
}

function readOutcome(result: HttpResult): ToolOutcome {
  if (result.kind === "broken" && result.error.code === "timeout") return { kind: "timeout" };
  if (result.kind !== "response") return { kind: "unreachable" };
  if (result.status < 200 || result.status > 299) return { kind: "status", status: result.status };
  return readBody(result);
}

/** Reads the body of a tool's 2xx. */
export function readBody({ truncated, body }: HttpResponse): Extract<ToolOutcome, { kind: "answer" | "unreadable" }> {
  if (truncated) return { kind: "unreadable" };
  try {
    return { kind: "answer", data: parseJson(body) };
  } catch {
    return { kind: "unreadable" };
  }
}

import {
  type CancelNoticeView,
  type Issue,
  isJsonObject,
  type JsonLimits,
  type JsonValue,
  parseJson,
} from "@opspawn/contract";
import { OpspawnApiError, OpspawnConnectionError } from "./errors.ts";

// What a server we chose may send: a page of 200 sessions holds 200 results.
const ANSWER_LIMITS: JsonLimits = {
  maxBytes: 512 * 1024 * 1024,
  maxDepth: 128,
  maxKeys: 20_000_000,
  maxStringBytes: 16 * 1024 * 1024,
};

function jsonOf(text: string): JsonValue | undefined {
  try {
    return parseJson(text, ANSWER_LIMITS);
  } catch {
    return undefined;
  }
}

/** `retry-after` in microseconds; only its form in seconds, which is the one our servers send. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  return text !== null && /^\d{1,6}(\.\d+)?$/.test(text) ? Math.ceil(Number(text) * 1_000_000) : undefined;
}

function issueOf(item: JsonValue): Issue {
  const { loc, msg, type } = isJsonObject(item) ? item : {};
  const path = Array.isArray(loc) ? loc.map((part) => (typeof part === "number" ? part : String(part))) : [];
  return { loc: path, msg: String(msg ?? "invalid"), type: String(type ?? "invalid") };
}

function noticeOf(value: JsonValue | undefined): CancelNoticeView | undefined {
  if (!isJsonObject(value) || typeof value.cancellationId !== "string") return undefined;
  const { cancellationId, reason, requestedAt, stageDeadline } = value;
  return {
    cancellationId,
    reason: String(reason ?? ""),
    requestedAt: String(requestedAt ?? ""),
    stageDeadline: typeof stageDeadline === "string" ? stageDeadline : null,
  };
}

function apiError(response: Response, body: JsonValue | undefined): OpspawnApiError {
  const { detail, code, requestId, cancellation } = isJsonObject(body) ? body : {};
  const issues = Array.isArray(detail) ? detail.map(issueOf) : [];
  const said = typeof detail === "string" ? detail : issues.map((issue) => issue.msg).join("; ");
  return new OpspawnApiError({
    status: response.status,
    code: typeof code === "string" ? code : (response.headers.get("x-error-code") ?? "unknown"),
    detail: said || response.statusText || "no reason given",
    issues,
    requestId: typeof requestId === "string" ? requestId : (response.headers.get("x-request-id") ?? undefined),
    retryAfter: retryAfter(response.headers),
    cancellation: noticeOf(cancellation),
  });
}

/**
 * The JSON of a success; throws for everything else.
 * @throws OpspawnApiError the server said no
 * @throws OpspawnConnectionError `not_opspawn`: what answered is something else
 */
export function readAnswer(response: Response, text: string, baseUrl: string): JsonValue {
  const location = response.headers.get("location");
  if (response.status >= 300 && response.status < 400 && location !== null) {
    const message = `${baseUrl} redirects to ${location}. Use the address it redirects to.`;
    throw new OpspawnConnectionError("not_opspawn", baseUrl, message);
  }
  const body = jsonOf(text);
  if (!response.ok) throw apiError(response, body);
  if (body !== undefined) return body;
  const type = response.headers.get("content-type") ?? "no content type";
  const message = `What answers at ${baseUrl} is not Opspawn (status ${response.status}, ${type}). Check the address.`;
  throw new OpspawnConnectionError("not_opspawn", baseUrl, message);
}

import { type ErrorCode, type Issue, type JsonValue, OpspawnError } from "@opspawn/contract";

/** One entry of the originals' 422 bodies, keys in their order. */
export interface OriginalIssue {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: JsonValue;
  readonly ctx?: { readonly [key: string]: JsonValue };
}

/** An answer of the originals' routes that is no success: their status and their exact `detail`. */
export class OriginalError extends Error {
  override readonly name = "OriginalError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string | readonly OriginalIssue[];

  constructor(code: ErrorCode, status: number, detail: string | readonly OriginalIssue[]) {
    super(typeof detail === "string" ? detail : code);
    this.code = code;
    this.status = status;
    this.detail = detail;
  }
}

/** What goes out for an error. `code` travels in `x-error-code` on every route. */
export interface ErrorReply {
  readonly status: number;
  readonly code: ErrorCode;
  readonly body: object;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  /** True for defects of ours: they belong into the log. */
  readonly unexpected?: true;
}

/**
 * The one place where an error becomes an HTTP answer. New routes answer `{detail, code, requestId}`, `detail` being
 * the list of issues for 422; the originals' routes answer `{detail}` alone.
 */
export function errorReply(error: unknown, original: boolean, requestId: string): ErrorReply {
  if (error instanceof OriginalError) {
    return { status: error.status, code: error.code, body: { detail: error.detail } };
  }
  const known = error instanceof OpspawnError ? error : fromFramework(error);
  const detail = original ? originalDetail(known) : nativeDetail(known);
  const body = original ? { detail } : { ...known.details, detail, code: known.code, requestId };
  const reply = { status: known.status, code: known.code, body, retryAfter: known.retryAfter };
  return known.code === "internal" ? { ...reply, unexpected: true } : reply;
}

function nativeDetail(error: OpspawnError): string | readonly Issue[] {
  if (error.status !== 422) return error.message;
  return error.issues?.length ? error.issues : [{ loc: ["body"], msg: error.message, type: error.code }];
}

function originalDetail(error: OpspawnError): string | readonly OriginalIssue[] {
  if (error.status !== 422) return error.message;
  const issues = error.issues?.length ? error.issues : [{ loc: ["body"], msg: error.message, type: error.code }];
  return issues.map(({ loc, msg, type }) =>
    type === "json_invalid"
      ? { type, loc, msg: "JSON decode error", input: {}, ctx: { error: msg } }
      : { type, loc, msg, input: {} },
  );
}

const FRAMEWORK: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_BAD_URL: ["not_found", "Not Found"],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["unsupported_media_type", "The content type is not understood."],
};

/** Errors the HTTP framework raises by itself; what is not known is a defect, and its text stays inside. */
function fromFramework(error: unknown): OpspawnError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const [known, message] = FRAMEWORK[code] ?? ["internal", "Internal Server Error"];
  return new OpspawnError(known, message, { cause: error });
}

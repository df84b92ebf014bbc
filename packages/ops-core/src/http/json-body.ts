import { type JsonValue, OpspawnError, parseJson } from "@opspawn/contract";
import type { Call } from "./call.ts";
import { isJsonContentType } from "./originals/content-type.ts";
import { rawBody } from "./raw-body.ts";

const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The JSON body of a new route, undefined when there is none.
 *
 * @throws OpspawnError `unsupported_media_type` for anything but plain `application/json`, and what `parseJson` throws
 */
export function readJson(call: Call): JsonValue | undefined {
  const bytes = rawBody(call);
  if (bytes.length === 0) return undefined;
  const encoding = call.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new OpspawnError("unsupported_media_type", "Send the body as it is, without a content-encoding.");
  }
  const type = call.headers["content-type"];
  if (type !== "application/json" && !/^\s*application\/json\s*(?:;|$)/i.test(type ?? "")) {
    throw new OpspawnError("unsupported_media_type", "Send the body as application/json.");
  }
  return parseJson(bytes);
}

/**
 * The body of an original route by the originals' rules: undefined when empty, a text when the content type is not
 * JSON. Routes call it before they look at the caller's key, since the originals answered 422 before 401.
 *
 * @throws OpspawnError what `parseJson` throws
 */
export function readOriginalJson(call: Call): JsonValue | undefined {
  const bytes = rawBody(call);
  if (bytes.length === 0) return undefined;
  return isJsonContentType(call.headers["content-type"]) ? parseJson(bytes) : lossy.decode(bytes);
}

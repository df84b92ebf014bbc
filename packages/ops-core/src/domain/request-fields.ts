import { DURATION_HINT, OpspawnError, parseDuration, parseTime } from "@opspawn/contract";
import { MINUTE } from "./clock.ts";
import type { Loc } from "./issues.ts";
import type { Ports } from "./ports.ts";
import { SILENCE_TIMEOUT_MAX, SILENCE_TIMEOUT_MIN } from "./workflows/limits.ts";

/** The longest a request may wait for news. */
const WAIT_MAX = MINUTE;

/** A request that has the declared form and still makes no sense, with the place. */
export function invalidField(loc: Loc, msg: string, type = "value_error"): OpspawnError {
  return new OpspawnError("invalid_request", `${loc.at(-1)}: ${msg}`, { issues: [{ loc, msg, type }] });
}

/**
 * Reads a duration.
 * @param max in microseconds
 * @returns microseconds
 */
export function readDuration(text: string, loc: Loc, max: number, maxText: string): number {
  const micros = parseDuration(text);
  if (micros === null) throw invalidField(loc, `must be ${DURATION_HINT}`);
  if (micros > max) throw invalidField(loc, `must be at most ${maxText}`);
  return micros;
}

/** Reads how long an attempt may be without progress. */
export function readSilence(text: string, loc: Loc): number {
  const micros = readDuration(text, loc, SILENCE_TIMEOUT_MAX, "7d");
  if (micros < SILENCE_TIMEOUT_MIN) throw invalidField(loc, "must be at least 2s");
  return micros;
}

/** How long a request waits, in milliseconds; absent = not at all. */
export function readWait(text: string | undefined, loc: Loc): number {
  return text === undefined ? 0 : readDuration(text, loc, WAIT_MAX, "1m") / 1000;
}

/** Reads a point in time given as ISO 8601, as microseconds. */
export function readTime(text: string | undefined, loc: Loc): number | undefined {
  if (text === undefined) return undefined;
  const micros = parseTime(text);
  if (micros === null) throw invalidField(loc, "must be a time such as 2026-01-31T12:00:00Z");
  return micros;
}

/** Reads a label to look for, written `key=value`. */
export function readLabel(text: string | undefined, loc: Loc): { key: string; value: string } | undefined {
  if (text === undefined) return undefined;
  const equals = text.indexOf("=");
  if (equals < 1) throw invalidField(loc, "must be written key=value");
  return { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** A URL that we are to call, normalised as browsers do; refused where our HTTP client would refuse it. */
export function readEndpoint(text: string, loc: Loc, decideUrl: Ports["decideUrl"]): string {
  const url = URL.parse(text);
  if (url === null) throw invalidField(loc, "must be a valid http or https URL", "url_parsing");
  const decision = decideUrl(url);
  if (decision.isAllowed) return url.href;
  const issue = { loc, msg: decision.reason, type: "value_error" };
  throw new OpspawnError("endpoint_refused", decision.reason, { issues: [issue] });
}

import { DURATION_HINT, OpspawnError, parseDuration } from "@opspawn/contract";

/**
 * Microseconds of a duration the caller wrote.
 * @throws OpspawnError `invalid_request` when it is none
 */
export function microsOf(text: string, what: string): number {
  const micros = parseDuration(text);
  if (micros === null) throw new OpspawnError("invalid_request", `\`${what}\` must be ${DURATION_HINT}, not "${text}"`);
  return micros;
}

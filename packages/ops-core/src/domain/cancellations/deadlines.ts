import { MINUTE, SECOND } from "../clock.ts";

/** An agent that can be told is told within this time. */
export const DELIVER_WITHIN = 15 * SECOND;
/** One that was told says so within this time. */
export const ACKNOWLEDGE_WITHIN = 15 * SECOND;
/** One that said so has stopped by its attempt's timeout, but within these bounds. */
export const STOP_WITHIN_MIN = 15 * SECOND;
const STOP_WITHIN_MAX = 2 * MINUTE;

/** @param timeoutAt when the attempt would have timed out @returns when an agent that stops should have stopped */
export function stopBy(now: number, timeoutAt: number): number {
  return now + Math.min(Math.max(timeoutAt - now, STOP_WITHIN_MIN), STOP_WITHIN_MAX);
}

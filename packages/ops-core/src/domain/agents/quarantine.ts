import { MINUTE, SECOND } from "../clock.ts";

/** Until the first try after an agent was quarantined; it doubles with each try that fails. */
const FIRST_READMISSION = 30 * SECOND;
const MAX_READMISSION = 10 * MINUTE;

/** Why an agent gets no work: it failed too often, or somebody said so. */
export interface Quarantine {
  readonly since: number;
  readonly cause: "failures" | "manual";
  /** Failures of so many ends that led to it; zero where somebody said so. */
  readonly failed: number;
  readonly of: number;
  /** Whoever asked for it, and what for. */
  readonly by: string | null;
  readonly reason: string | null;
  /** Tries since then that failed. */
  readonly tries: number;
  /** When it may be tried again; null = it is not, until somebody readmits it. */
  readonly nextTryAt: number | null;
  /** The attempt (`<taskId>/<number>`) by which it is being tried. */
  readonly trial: string | null;
}

/** The wait before the try after `tries` that failed. */
export function readmissionDelay(tries: number): number {
  return Math.min(FIRST_READMISSION * 2 ** Math.min(tries, 20), MAX_READMISSION);
}

/** Whether a quarantined agent may be tried now: one task at a time. */
export function isTrialDue({ nextTryAt, trial }: Quarantine, now: number): boolean {
  return trial === null && nextTryAt !== null && nextTryAt <= now;
}

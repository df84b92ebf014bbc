import { SECOND } from "../clock.ts";

/** Events of one attempt's progress are at least this far apart; what is stored of it is always the newest. */
export const PROGRESS_EVENT_EVERY = SECOND;

/** An attempt whose progress is watched. */
export interface Watch {
  /** When its counter last grew, or the watch began. */
  readonly from: number;
  /** Null = it may be silent until its timeout. */
  readonly silence: number | null;
  readonly suspectSince: number | null;
}

/** When a watched attempt becomes suspect, or when one that is ends; null = it is not watched. */
export function silentAt({ from, silence, suspectSince }: Watch): number | null {
  if (silence === null) return null;
  return from + (suspectSince === null ? Math.ceil(silence / 2) : silence);
}

import { SECOND } from "../clock.ts";

/** How long a bare outcome of an agent not known as state-only waits for a result call. */
export const RESULT_GRACE = 2 * SECOND;
const COMPARABLE = 60 * SECOND;

/** A stored state report. */
export interface Report {
  readonly state: string;
  /** JSON text. */
  readonly details: string | null;
  /** The agent's own clock, in microseconds; null when we set the time. */
  readonly reportedAt: number | null;
  readonly receivedAt: number;
}

export type BareOutcome = { readonly type: "completed" | "failed"; readonly details: string | null };

type Moment = Pick<Report, "reportedAt" | "receivedAt">;

/**
 * Whether a report, received after `known`, tells of an earlier moment: it was delayed, or is delivered again. Only the
 * agent's own times are compared, and only of reports received within 60 s of each other.
 */
export function isOlder(report: Moment, known: Moment): boolean {
  if (report.reportedAt === null || known.reportedAt === null) return false;
  return report.reportedAt < known.reportedAt && report.receivedAt - known.receivedAt <= COMPARABLE;
}

/** Reports received this long before a dispatch still tell which of those after it are old. */
export const LOOK_BACK = COMPARABLE;

/**
 * Reads an outcome from bare states: `active`, then `idle` or `finished` (completed) or `error` (failed), all received
 * after the dispatch. An `idle` without an `active` before it says nothing. Whichever report arrived last, the order is
 * the agent's own where its clock can be compared.
 * @param reports those from before the dispatch included, as far as `LOOK_BACK`
 */
export function bareOutcome(reports: readonly Report[], dispatchedAt: number): BareOutcome | null {
  // A report that settled the attempt before came in the same instant as the dispatch that followed from it.
  const before = reports.filter((report) => report.receivedAt <= dispatchedAt);
  const since = reports.filter(
    (report) => report.receivedAt > dispatchedAt && !before.some((known) => isOlder(report, known)),
  );
  let active = false;
  let outcome: BareOutcome | null = null;
  for (const report of inOwnOrder(since)) {
    const state = report.state.toLowerCase();
    // `busy` is what the originals' stand-in for AgentKit reports.
    if (state === "active" || state === "busy") {
      active = true;
      outcome = null;
    } else if (active && (state === "idle" || state === "finished")) {
      outcome = { type: "completed", details: report.details };
    } else if (active && state === "error") {
      outcome = { type: "failed", details: report.details };
    }
  }
  return outcome;
}

/** The agent's own timestamps decide where all are there and received within 60 s of each other, else the receipt. */
export function inOwnOrder(reports: readonly Report[]): Report[] {
  const received = reports.map((report) => report.receivedAt);
  const span = Math.max(...received) - Math.min(...received);
  const own = span <= COMPARABLE && reports.every((report) => report.reportedAt !== null);
  return [...reports].sort(
    (a, b) => (own ? Number(a.reportedAt) - Number(b.reportedAt) : 0) || a.receivedAt - b.receivedAt,
  );
}

/** The outcome of a report that names a task, or null for one that only says the agent works on it. */
export function namedOutcome(state: string): "completed" | "failed" | null {
  switch (state.toLowerCase()) {
    case "idle":
    case "finished":
    case "completed":
      return "completed";
    case "error":
    case "failed":
      return "failed";
    default:
      return null;
  }
}

import { type JsonObject, OpspawnError, parseDuration } from "@opspawn/contract";
import { definitionOf } from "../definition.ts";
import { ARRIVALS_HINT, readArrivals } from "./arrivals.ts";
import { rehearse } from "./rehearsal.ts";
import { type Report, reportOf } from "./report.ts";
import { type Progress, Simulation, type SimulationInput } from "./simulation.ts";
import { readSpec, readSpecText } from "./spec.ts";
import { type Counts, readTarget, type SearchResult, TARGET_HINT, TargetSearch } from "./target.ts";

export interface SimulateRequest {
  /** A definition, as an object or as text. */
  readonly workflow: JsonObject | string;
  /** Workflows that its steps are. */
  readonly others?: readonly (JsonObject | string)[];
  /** Describes the agents and everything else that it meets, as an object or as text; see docs/simulate.md. */
  readonly agents: JsonObject | string;
  /** Default: 1,000. */
  readonly sessions?: number;
  /** Default: 1. */
  readonly seed?: number;
  /** Default: what the description says, else all at once. */
  readonly arrivals?: string;
  /** In the place of those described. */
  readonly faults?: JsonObject;
  /** Such as `p95 < 5m`. */
  readonly target?: string;
  /** How much simulated time it may take. Default: `30d`. */
  readonly within?: string;
  /** What is going on, now and then. */
  readonly onProgress?: (progress: SimulateProgress) => void;
}

export interface SimulateProgress extends Progress {
  readonly sessions: number;
  /** Counts the simulations: the first is what was asked for, others look for what the target takes. */
  readonly run: number;
}

export interface TargetReport {
  readonly text: string;
  readonly isMet: boolean;
  /** Milliseconds, or sessions per minute. */
  readonly actual: { readonly value: number; readonly unit: "ms" | "perMinute" };
  readonly described: Counts;
  readonly search: SearchResult;
}

export interface SimulateReport extends Report {
  readonly target: TargetReport | null;
  /** The target is met, and no session is stuck or unfinished. */
  readonly isGood: boolean;
}

const SESSIONS = 1_000;
const SESSIONS_MAX = 10_000_000;
const WITHIN = "30d";

/**
 * Runs a workflow many times in virtual time, against agents as they are described, and says what came of it. The engine is
 * the one of production.
 * @throws OpspawnError `workflow_invalid`, or `invalid_request` with every wrong place of the description
 */
export async function simulate(request: SimulateRequest): Promise<SimulateReport> {
  const input = toInput(request);
  const target = request.target === undefined ? null : given("target", request.target, readTarget, TARGET_HINT);
  await rehearse(input);
  let run = 1;
  const onProgress = (progress: Progress): void => {
    request.onProgress?.({ ...progress, sessions: input.sessions, run });
  };
  const outcome = await Simulation.run(input, onProgress);
  const report = reportOf(input, outcome);
  const isWhole = report.counts.stuck === 0 && report.counts.unfinished === 0;
  if (target === null) return { ...report, target: null, isGood: isWhole };
  run += 1;
  const search = await new TargetSearch(input, target, onProgress).find(outcome);
  const isMet = target.isMet(outcome);
  const described = Object.fromEntries(input.spec.agents.map(({ name, count }) => [name, count]));
  const reached: TargetReport = { text: target.text, isMet, actual: target.actual(outcome), described, search };
  return { ...report, target: reached, isGood: isWhole && isMet };
}

function toInput(request: SimulateRequest): SimulationInput {
  const { workflow, others = [], sessions = SESSIONS, seed = 1, within = WITHIN } = request;
  const agents = typeof request.agents === "string" ? readSpecText(request.agents) : request.agents;
  const described = readSpec(agents);
  const spec =
    request.faults === undefined ? described : readSpec({ ...(agents as JsonObject), faults: request.faults });
  if (!Number.isInteger(sessions) || sessions < 1 || sessions > SESSIONS_MAX) {
    throw refusal("sessions", `must be a whole number from 1 to ${SESSIONS_MAX}`);
  }
  return {
    ...definitionOf(workflow),
    others: others.map(definitionOf),
    spec,
    sessions,
    seed,
    arrivals: given("arrivals", request.arrivals ?? spec.arrivals ?? "at-once", readArrivals, ARRIVALS_HINT),
    within: given("within", within, parseDuration, "must be a duration such as 30d"),
  };
}

function given<T>(name: string, text: string, read: (text: string) => T | null, hint: string): T {
  const value = read(text);
  if (value === null) throw refusal(name, `${hint}, not ${JSON.stringify(text)}`);
  return value;
}

function refusal(name: string, msg: string): OpspawnError {
  return new OpspawnError("invalid_request", `${name}: ${msg}`, {
    issues: [{ loc: [name], msg, type: "value_error" }],
  });
}

import type { WorkflowPlan } from "@opspawn/ops-core/testing";
import { type Missing, needsOf } from "../definition.ts";
import type { Group } from "./described-fleet.ts";
import type { Sample } from "./sample.ts";
import type { BadEnd, Outcome, SimulationInput } from "./simulation.ts";

/** Milliseconds. */
export interface Distribution {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface StepReport {
  readonly step: string;
  /** Tries at it that were begun, or times it waited. */
  readonly count: number;
  readonly waitMs: Distribution;
  readonly workMs: Distribution;
  readonly retries: number;
  /** Which part of its waiting had which reason, the largest first. */
  readonly reasons: Readonly<Record<string, number>>;
}

export interface GroupReport {
  readonly name: string;
  readonly kind: "agent" | "tool";
  readonly count: number;
  readonly concurrency: number;
  /** Which part of its time it was at work, from 0 to 1. */
  readonly utilisation: number;
  readonly deaths: number;
}

/** What some step needs, and how scarce it is. */
export interface NeedReport {
  readonly what: Missing["what"];
  readonly name: string;
  readonly steps: readonly string[];
  /** Names of those who have it. */
  readonly servedBy: readonly string[];
  readonly utilisation: number;
  /** Mean wait of a session for it, over all its steps. */
  readonly waitMs: number;
}

export interface Report {
  readonly workflow: string;
  readonly sessions: number;
  readonly seed: number;
  readonly arrivals: string;
  readonly counts: {
    readonly completed: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly uncertain: number;
    /** Open, and nothing will happen by itself. */
    readonly stuck: number;
    /** Open when the time was over. */
    readonly unfinished: number;
  };
  readonly completedPerMinute: number;
  readonly latencyMs: Distribution;
  readonly steps: readonly StepReport[];
  readonly agents: readonly GroupReport[];
  readonly needs: readonly NeedReport[];
  /** What sessions wait for most; where nothing waits, what is busiest. */
  readonly bottleneck: { readonly name: string; readonly what: Missing["what"]; readonly isWaitedFor: boolean } | null;
  readonly badEnds: readonly BadEnd[];
  readonly crashes: number;
  /** How fast it ran. */
  readonly simulatedMs: number;
  readonly tookMs: number;
  readonly sessionsPerSecond: number;
  /** Simulated time per real time. */
  readonly speedUp: number;
}

/** A wait of less than this part of a session's time is not worth a word. */
const NOTABLE = 0.01;

/** What came of a simulation, in numbers for people and machines. */
export function reportOf({ plan, seed, arrivals, sessions }: SimulationInput, outcome: Outcome): Report {
  const { completed, latency, span, took, crashes, badEnds } = outcome;
  const needs = needsIn(plan, outcome);
  return {
    workflow: plan.id,
    sessions,
    seed,
    arrivals: arrivals.text,
    counts: { completed, ...badCounts(badEnds) },
    completedPerMinute: perMinute(outcome),
    latencyMs: distribution(latency),
    steps: [...outcome.steps.values()].map((step) => ({
      step: step.step,
      count: step.waits.count,
      waitMs: distribution(step.waits),
      workMs: distribution(step.works),
      retries: step.retries,
      reasons: parts(step.reasons),
    })),
    agents: outcome.groups.map((group) => groupReport(group, outcome.loaded)),
    needs,
    bottleneck: bottleneckOf(needs, latency.mean / 1_000),
    badEnds,
    crashes,
    simulatedMs: span / 1_000,
    tookMs: took,
    sessionsPerSecond: (outcome.started / took) * 1_000,
    speedUp: span / 1_000 / took,
  };
}

/** Sessions that completed per minute while there was load. */
export function perMinute({ loaded: { completed, ending } }: Pick<Outcome, "loaded">): number {
  return ending === 0 ? 0 : (completed / ending) * 60_000_000;
}

/** Which part of its time a group was at work, while there was load. */
export function utilisationOf(group: Group, { time, busy }: Outcome["loaded"]): number {
  return time === 0 ? 0 : (busy.get(group) ?? 0) / (time * group.count * group.concurrency);
}

function groupReport(group: Group, loaded: Outcome["loaded"]): GroupReport {
  const { name, kind, count, concurrency, hosts } = group;
  const deaths = hosts.reduce((sum, host) => sum + host.deaths, 0);
  return { name, kind, count, concurrency, utilisation: utilisationOf(group, loaded), deaths };
}

function badCounts(badEnds: readonly BadEnd[]): Omit<Report["counts"], "completed"> {
  const counts = { failed: 0, cancelled: 0, uncertain: 0, stuck: 0, unfinished: 0 };
  for (const { status, count } of badEnds) counts[status] += count;
  return counts;
}

function needsIn(plan: WorkflowPlan, outcome: Outcome): NeedReport[] {
  const needs = new Map<string, { need: Missing; steps: string[] }>();
  for (const step of plan.steps) {
    for (const need of needsOf(step)) {
      const known = needs.get(`${need.what} ${need.name}`);
      if (known === undefined) needs.set(`${need.what} ${need.name}`, { need, steps: [step.id] });
      else if (!known.steps.includes(step.id)) known.steps.push(step.id);
    }
  }
  return [...needs.values()].map(({ need, steps }) => needReport(need, steps, outcome));
}

function needReport({ what, name }: Missing, steps: readonly string[], outcome: Outcome): NeedReport {
  const serving = outcome.groups.filter((group) => serves(group, what, name));
  const slots = serving.reduce((sum, { count, concurrency }) => sum + count * concurrency, 0);
  const busy = serving.reduce(
    (sum, group) => sum + utilisationOf(group, outcome.loaded) * group.count * group.concurrency,
    0,
  );
  const waited = steps.reduce((sum, step) => sum + (outcome.steps.get(step)?.waits.sum ?? 0), 0);
  return {
    what,
    name,
    steps,
    servedBy: serving.map((group) => group.name),
    utilisation: slots === 0 ? 0 : busy / slots,
    waitMs: waited / 1_000 / Math.max(outcome.started, 1),
  };
}

function serves(group: Group, what: Missing["what"], name: string): boolean {
  if (what === "tool") return group.kind === "tool" && group.name === name;
  if (group.kind === "tool") return false;
  return what === "capability" ? group.capabilities.includes(name) : group.hosts.some((host) => host.name === name);
}

function bottleneckOf(needs: readonly NeedReport[], meanLatencyMs: number): Report["bottleneck"] {
  const slowest = needs.toSorted((a, b) => b.waitMs - a.waitMs)[0];
  if (slowest === undefined) return null;
  if (slowest.waitMs > meanLatencyMs * NOTABLE) return { name: slowest.name, what: slowest.what, isWaitedFor: true };
  const busiest = needs.toSorted((a, b) => b.utilisation - a.utilisation)[0] ?? slowest;
  return { name: busiest.name, what: busiest.what, isWaitedFor: false };
}

function distribution(sample: Sample): Distribution {
  const at = (part: number): number => sample.percentile(part) / 1_000;
  return { mean: sample.mean / 1_000, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sample.max / 1_000 };
}

function parts(weights: ReadonlyMap<string, number>): Record<string, number> {
  const all = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const sorted = [...weights].sort(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.map(([reason, weight]) => [reason, weight / all]));
}

import { parseDuration } from "@opspawn/contract";
import type { Group } from "./described-fleet.ts";
import { perMinute, reportOf, utilisationOf } from "./report.ts";
import { type OnProgress, type Outcome, Simulation, type SimulationInput } from "./simulation.ts";

/** What is to be reached. */
export interface Target {
  readonly text: string;
  /** What came of it, as text beside the target. */
  readonly isMet: (outcome: Outcome) => boolean;
  readonly actual: (outcome: Outcome) => { readonly value: number; readonly unit: "ms" | "perMinute" };
  /** Sessions per minute that must arrive for it at least; 0 = any number. */
  readonly perMinute: number;
}

/** What a target looks like, for error messages. */
export const TARGET_HINT = 'must be a latency such as "p95 < 5m" or a throughput such as "100 sessions/min"';

const LATENCY = /^p(50|75|90|95|99|99\.9)\s*<=?\s*(\d+(?:us|ms|s|m|h|d))$/;
const THROUGHPUT = /^(?:>=?\s*)?(\d{1,9}(?:\.\d{1,6})?)\s*sessions\/(s|min|m|h|d)$/;
const PER_MINUTE: Readonly<Record<string, number>> = { s: 60, min: 1, m: 1, h: 1 / 60, d: 1 / 1_440 };

/** Reads a target; null when the text is none. */
export function readTarget(text: string): Target | null {
  const latency = LATENCY.exec(text.trim());
  const bound = latency === null ? null : parseDuration(latency[2] ?? "");
  if (latency !== null && bound !== null) {
    const part = Number(latency[1]) / 100;
    return {
      text,
      isMet: (outcome) => outcome.completed > 0 && outcome.latency.percentile(part) < bound,
      actual: ({ latency: found }) => ({ value: found.percentile(part) / 1_000, unit: "ms" }),
      perMinute: 0,
    };
  }
  const throughput = THROUGHPUT.exec(text.trim());
  if (throughput === null) return null;
  const wanted = Number(throughput[1]) * (PER_MINUTE[throughput[2] ?? ""] ?? 1);
  return {
    text,
    isMet: (outcome) => perMinute(outcome) >= wanted,
    actual: (outcome) => ({ value: perMinute(outcome), unit: "perMinute" }),
    perMinute: wanted,
  };
}

/** How many there are of each group, by name. */
export type Counts = Readonly<Record<string, number>>;

export interface SearchResult {
  /** The fewest found that reach the target; null when none were. */
  readonly needed: Counts | null;
  /** Why none were; null when some were. */
  readonly reason: string | null;
  readonly runs: readonly { readonly counts: Counts; readonly value: number; readonly isMet: boolean }[];
}

/** Runs of a search at most: each is a simulation. */
const RUNS_MAX = 16;
/** Where sessions arrive at a rate, so many show what the rate does. */
const SESSIONS_ENOUGH = 2_000;
const AGENTS_MAX = 1_000;
/** What agents are used to at most, once there are enough of them. */
const COMFORTABLE = 0.8;

/** Finds how many agents a target takes, by simulating with more, and then with fewer. */
export class TargetSearch {
  readonly #input: SimulationInput;
  readonly #target: Target;
  readonly #onProgress: OnProgress;
  readonly #runs: { counts: Counts; value: number; isMet: boolean }[] = [];

  constructor(input: SimulationInput, target: Target, onProgress: OnProgress) {
    const isSteady = input.arrivals.rate !== null && input.sessions > SESSIONS_ENOUGH;
    this.#input = isSteady ? { ...input, sessions: SESSIONS_ENOUGH } : input;
    this.#target = target;
    this.#onProgress = onProgress;
  }

  /** @param first what came of the agents as they were described */
  async find(first: Outcome): Promise<SearchResult> {
    const { rate, text } = this.#input.arrivals;
    if (rate !== null && rate * 60 < this.#target.perMinute) {
      return this.#none(`Sessions arrive at ${text}: that is too few, however many agents there are.`);
    }
    const grown = await this.#grow(first);
    if (typeof grown === "string") return this.#none(grown);
    return { needed: await this.#shrink(grown.counts, grown.outcome), reason: null, runs: this.#runs };
  }

  #none(reason: string): SearchResult {
    return { needed: null, reason, runs: this.#runs };
  }

  /** More of what is waited for, until the target is met; a text says why it cannot be. */
  async #grow(first: Outcome): Promise<{ counts: Counts; outcome: Outcome } | string> {
    let counts = countsOf(first.groups);
    let outcome = first;
    while (!this.#target.isMet(outcome)) {
      const scarce = this.#scarcest(outcome);
      if (scarce === null) {
        return "Nothing waits for an agent: what is missing to the target is the work itself, its failures or other waits.";
      }
      const before = counts[scarce.name] ?? 1;
      const factor = Math.max(1.25, utilisationOf(scarce, outcome.loaded) / COMFORTABLE);
      const more = Math.min(Math.max(before + 1, Math.ceil(before * factor)), AGENTS_MAX);
      if (more === before) return `${AGENTS_MAX} of \`${scarce.name}\` are not enough, and more are not tried.`;
      if (this.#runs.length >= RUNS_MAX / 2)
        return `It was not reached with ${before} of \`${scarce.name}\`; no more were tried.`;
      counts = { ...counts, [scarce.name]: more };
      outcome = await this.#run(counts);
    }
    return { counts, outcome };
  }

  /** The group of agents whose capability is waited for most; tools are somebody else's. */
  #scarcest(outcome: Outcome): Group | null {
    const { needs, latencyMs } = reportOf(this.#input, outcome);
    const waited = needs.filter(({ what, waitMs }) => what !== "tool" && waitMs > latencyMs.mean / 1_000);
    for (const { servedBy } of waited.toSorted((a, b) => b.waitMs - a.waitMs)) {
      const groups = outcome.groups.filter(({ name, kind }) => kind === "agent" && servedBy.includes(name));
      const busiest = groups.toSorted((a, b) => utilisationOf(b, outcome.loaded) - utilisationOf(a, outcome.loaded))[0];
      if (busiest !== undefined) return busiest;
    }
    return null;
  }

  /** Takes away what is idle most, as long as the target is met. */
  async #shrink(found: Counts, outcome: Outcome): Promise<Counts> {
    let counts = found;
    const idlest = outcome.groups
      .filter(({ kind }) => kind === "agent")
      .toSorted((a, b) => utilisationOf(a, outcome.loaded) - utilisationOf(b, outcome.loaded));
    for (const group of idlest) {
      let enough = counts[group.name] ?? 1;
      // Fewer than are at work on average cannot do the work at all.
      let tooFew = Math.ceil(utilisationOf(group, outcome.loaded) * enough) - 1;
      while (enough - tooFew > 1 && this.#runs.length < RUNS_MAX) {
        const middle = Math.floor((enough + tooFew) / 2);
        const tried = await this.#run({ ...counts, [group.name]: middle });
        if (this.#target.isMet(tried)) enough = middle;
        else tooFew = middle;
      }
      counts = { ...counts, [group.name]: enough };
    }
    return counts;
  }

  async #run(counts: Counts): Promise<Outcome> {
    const { spec } = this.#input;
    const agents = spec.agents.map((agent) => ({ ...agent, count: counts[agent.name] ?? agent.count }));
    const outcome = await Simulation.run({ ...this.#input, spec: { ...spec, agents } }, this.#onProgress);
    this.#runs.push({ counts, value: this.#target.actual(outcome).value, isMet: this.#target.isMet(outcome) });
    return outcome;
  }
}

function countsOf(groups: readonly Group[]): Counts {
  return Object.fromEntries(groups.flatMap(({ name, kind, count }) => (kind === "agent" ? [[name, count]] : [])));
}

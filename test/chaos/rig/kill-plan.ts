/** The points at which the server is killed from within, with the range of hits to choose from. */
export const POINTS: Readonly<Record<string, readonly [number, number]>> = {
  "store.before-commit": [30, 300],
  "store.after-commit": [30, 300],
  "store.before-next-step": [5, 120],
  "engine.before-send": [20, 200],
  "engine.after-send": [5, 120],
  "start.before-adopt": [1, 1],
  "start.after-adopt": [1, 1],
  "outbox.after-send": [1, 5],
  "http.after-start": [1, 30],
  "http.after-result": [5, 120],
  "http.after-claim": [1, 12],
};

/** Milliseconds after the server took work, to choose from. */
const RANDOM_MS = [200, 1_500] as const;

export type PlannedKill =
  | { readonly kind: "random"; readonly afterMs: number }
  | { readonly kind: "failpoint"; readonly name: string; readonly hit: number };

/** Seeded numbers in [0, 1): the same plan from the same seed. */
export function seededChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // mulberry32: few lines, good enough to spread kills.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Decides the next kill: random moments and failpoints in turn, each point as often as the others. */
export class KillPlan {
  readonly #chance: () => number;
  readonly #counts: Map<string, number>;
  #last = "";

  /** @param points those that are used; default all */
  constructor(seed: number, points: readonly string[] = Object.keys(POINTS)) {
    this.#chance = seededChance(seed);
    this.#counts = new Map(points.map((name) => [name, 0]));
  }

  /** @param wanted kills of each kind that are still to be made */
  next(wanted: { readonly random: number; readonly failpoints: number }): PlannedKill {
    const isRandom = wanted.failpoints <= 0 || wanted.random > wanted.failpoints;
    return isRandom ? { kind: "random", afterMs: this.#between(RANDOM_MS) } : this.#failpoint();
  }

  /** Says that a point was hit in a way that counts, so that another one is due. */
  done(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  #failpoint(): PlannedKill {
    // One that did not count is not tried twice in a row: what it lacks, another point may bring about.
    const open = [...this.#counts].filter(([name]) => name !== this.#last || this.#counts.size === 1);
    const least = Math.min(...open.map(([, count]) => count));
    const due = open.flatMap(([name, count]) => (count === least ? [name] : []));
    const name = due[Math.floor(this.#chance() * due.length)] ?? "";
    this.#last = name;
    return { kind: "failpoint", name, hit: Math.round(this.#between(POINTS[name] ?? [1, 1])) };
  }

  #between([least, most]: readonly [number, number]): number {
    return least + this.#chance() * (most - least);
  }
}

import type { Chance, Clock } from "../clock.ts";

/** Time that stands still until it is moved. */
export interface FakeClock extends Clock {
  /** Lets time pass and calls what fell due, in order. */
  advance(micros: number): void;
  /** Waits until somebody has set a timer due between `least` and `most` from now, then moves time to the earliest. */
  reach(most: number, least?: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

const MAY_1_2026_NOON = 1_777_636_800_000_000;

/** @param start microseconds since the epoch */
export function fakeClock(start = MAY_1_2026_NOON): FakeClock {
  const timers = new Set<Timer>();
  const waiters: (() => void)[] = [];
  let now = start;
  const earliest = (from: number, to: number): Timer | undefined =>
    [...timers].filter((timer) => timer.at >= from && timer.at <= to).toSorted((a, b) => a.at - b.at)[0];
  const advance = (micros: number): void => {
    const end = now + micros;
    for (let timer = earliest(0, end); timer !== undefined; timer = earliest(0, end)) {
      timers.delete(timer);
      now = Math.max(now, timer.at);
      timer.callback();
    }
    now = end;
  };
  return {
    now: () => now,
    after: (micros, callback) => {
      const timer = { at: now + micros, callback };
      timers.add(timer);
      for (const waiter of waiters.splice(0)) waiter();
      return () => timers.delete(timer);
    },
    advance,
    reach: async (most, least = 0) => {
      let next = earliest(now + least, now + most);
      while (next === undefined) {
        await new Promise<void>((resolve) => waiters.push(resolve));
        next = earliest(now + least, now + most);
      }
      advance(next.at - now);
    },
  };
}

/** Always the middle, and ids in order. */
export function fakeChance(): Chance {
  let ids = 0;
  return {
    fraction: () => 0.5,
    id: () => {
      ids += 1;
      return `id-${ids}`;
    },
  };
}

import { randomUUID } from "node:crypto";

/** Time and timers, so that tests own both. */
export interface Clock {
  /** Microseconds since the epoch, UTC. */
  now(): number;
  /**
   * Calls back once, `micros` microseconds from now.
   * @returns takes the call back
   */
  after(micros: number, callback: () => void): () => void;
}

/** Chance, so that tests own it too. */
export interface Chance {
  /** From 0 up to, not including, 1. */
  fraction(): number;
  /** A name nobody else has. */
  id(): string;
}

// setTimeout fires at once when asked for more.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now() * 1000,
  after: (micros, callback) => {
    let timer: NodeJS.Timeout;
    const arm = (millis: number): void => {
      const rest = millis - LONGEST_TIMER_MS;
      timer = rest > 0 ? setTimeout(() => arm(rest), LONGEST_TIMER_MS) : setTimeout(callback, millis);
    };
    arm(Math.ceil(micros / 1000));
    return () => clearTimeout(timer);
  },
};

export const systemChance: Chance = { fraction: Math.random, id: randomUUID };

/** Waits; rejects with the signal's reason once it is aborted. */
export function sleep(clock: Clock, micros: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(micros, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Time and chance come from outside, so that tests own them. Times and delays are microseconds. */
export interface Clock {
  /** Since the epoch, UTC. */
  now(): number;
  /** Runs `task` once after `delay`. Call what it returns to cancel. */
  after(delay: number, task: () => void): () => void;
  /** In [0, 1). */
  random(): number;
}

/** The longest delay a Node timer holds; it fires a longer one at once. */
const LONGEST_MILLIS = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now() * 1_000,
  after(delay, task) {
    let rest = Math.max(0, Math.ceil(delay / 1_000));
    const arm = (): NodeJS.Timeout => {
      const step = Math.min(rest, LONGEST_MILLIS);
      rest -= step;
      return setTimeout(() => {
        if (rest > 0) timer = arm();
        else task();
      }, step);
    };
    let timer = arm();
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Resolves after `delay` microseconds, or at once when `signal` aborts. */
export function pause(clock: Clock, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = () => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.after(delay, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}

import { OpspawnError } from "@opspawn/contract";
import type { Hints } from "./store.ts";
import type { Timers } from "./timers.ts";

/** Hints make waiting quick; looking again makes it true, whatever another process committed. */
const LOOK_AGAIN_MS = 3_000;

export interface WaitersOptions {
  readonly timers: Timers;
  /** Waits open at once; more are refused. */
  readonly max: number;
  /** Waits of one owner open at once; default: all of them. */
  readonly maxPerOwner?: number;
}

/**
 * Requests that wait for news. A wait is opened *before* the store is read, so that nothing committed in between is
 * missed; it holds no answer, only the hint that it is worth reading again.
 */
export class Waiters {
  readonly #timers: Timers;
  readonly #max: number;
  readonly #maxPerOwner: number;
  readonly #byOwner = new Map<string, number>();
  readonly #byKey = new Map<string, Set<Wait>>();
  #open = 0;
  #closed = false;

  constructor(options: WaitersOptions) {
    this.#timers = options.timers;
    this.#max = options.max;
    this.#maxPerOwner = options.maxPerOwner ?? options.max;
  }

  /**
   * Starts to listen for any of `keys` (see `sessionKey`, `laneKey`, `streamKey`).
   * @param ms how long in all
   * @param owner the agent that waits, which must not take all places; null = nobody in particular
   * @throws OpspawnError `overloaded` when too many wait, `rate_limited` when too many of the owner's do,
   *   `shutting_down` once the server stops
   */
  open(keys: readonly string[], ms: number, signal: AbortSignal, owner: string | null = null): Wait {
    // Who does not wait takes no place.
    if (ms <= 0) return new Wait(this.#timers, 0, signal, () => undefined);
    // Answering at once instead would make those who wait in a loop ask as fast as they can.
    if (this.#closed) throw new OpspawnError("shutting_down", "The server is stopping.", { retryAfter: 1 });
    if (this.#open >= this.#max) {
      throw new OpspawnError("overloaded", `${this.#max} requests wait already.`, { retryAfter: 1 });
    }
    this.#take(owner);
    const wait = new Wait(this.#timers, ms, signal, () => this.#remove(keys, wait, owner));
    for (const key of keys) {
      const set = this.#byKey.get(key);
      if (set === undefined) this.#byKey.set(key, new Set([wait]));
      else set.add(wait);
    }
    return wait;
  }

  /** Passes on what was committed. */
  notify(hints: Pick<Hints, "endedSessions" | "lanes" | "deliveries" | "streams">): void {
    if (this.#open === 0) return;
    for (const id of hints.endedSessions) this.#wake(sessionKey(id));
    for (const lane of hints.lanes) this.#wake(laneKey(lane));
    if (hints.deliveries) this.#wake(DELIVERIES);
    if (hints.streams.size === 0) return;
    this.#wake(ANY_STREAM);
    for (const stream of hints.streams) this.#wake(streamKey(stream));
  }

  /** Ends every wait, and refuses those to come: the server is stopping. */
  close(): void {
    this.#closed = true;
    for (const set of this.#byKey.values()) for (const wait of set) wait.end();
  }

  get size(): number {
    return this.#open;
  }

  #wake(key: string): void {
    const set = this.#byKey.get(key);
    if (set !== undefined) for (const wait of set) wait.wake();
  }

  #take(owner: string | null): void {
    if (owner !== null) {
      const open = this.#byOwner.get(owner) ?? 0;
      if (open >= this.#maxPerOwner) {
        throw new OpspawnError("rate_limited", `${open} requests of this agent wait already.`, { retryAfter: 1 });
      }
      this.#byOwner.set(owner, open + 1);
    }
    this.#open += 1;
  }

  #remove(keys: readonly string[], wait: Wait, owner: string | null): void {
    this.#open -= 1;
    const left = owner === null ? 0 : (this.#byOwner.get(owner) ?? 1) - 1;
    if (owner !== null && left === 0) this.#byOwner.delete(owner);
    else if (owner !== null) this.#byOwner.set(owner, left);
    for (const key of keys) {
      const set = this.#byKey.get(key);
      set?.delete(wait);
      if (set?.size === 0) this.#byKey.delete(key);
    }
  }
}

export const ANY_STREAM = "streams";
/** Some delivery has changed. */
export const DELIVERIES = "deliveries";

export function sessionKey(sessionId: string): string {
  return `session:${sessionId}`;
}

export function laneKey(lane: string): string {
  return `lane:${lane}`;
}

export function streamKey(stream: string): string {
  return `stream:${stream}`;
}

/** One request's wait. */
export class Wait {
  readonly #timers: Timers;
  readonly #end: number;
  readonly #signal: AbortSignal;
  readonly #removed: () => void;
  readonly #aborted = (): void => this.end();
  #hinted = false;
  #ended: boolean;
  #closed = false;
  #resume: (() => void) | null = null;

  constructor(timers: Timers, ms: number, signal: AbortSignal, removed: () => void) {
    this.#timers = timers;
    this.#end = timers.now() + ms;
    this.#signal = signal;
    this.#removed = removed;
    this.#ended = signal.aborted;
    signal.addEventListener("abort", this.#aborted);
  }

  /** Nobody waits any more, or the time was over. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** Resolves `true` when it is worth looking again, `false` when the time is over or nobody waits any more. */
  async next(): Promise<boolean> {
    if (!this.#hinted && !this.#ended) await this.#sleep();
    if (this.#ended) return false;
    if (this.#hinted) {
      this.#hinted = false;
      return true;
    }
    return this.#timers.now() < this.#end;
  }

  wake(): void {
    this.#hinted = true;
    this.#resume?.();
  }

  end(): void {
    this.#ended = true;
    this.#resume?.();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener("abort", this.#aborted);
    this.#removed();
  }

  async #sleep(): Promise<void> {
    const left = this.#end - this.#timers.now();
    if (left <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#timers.set(Math.min(left, LOOK_AGAIN_MS), resolve);
      this.#resume = () => {
        cancel();
        resolve();
      };
    });
    this.#resume = null;
  }
}

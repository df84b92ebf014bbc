import type { LoopName, Timers } from "@opspawn/ops-core/testing";

interface Entry {
  readonly at: number;
  readonly order: number;
  fire: () => void;
  isOver: boolean;
}

/** A look that a loop of the server takes now and then, in case there is something to do. */
interface Poll {
  at: number;
  readonly every: number;
  readonly loop: LoopName;
  readonly fire: () => void;
}

/** These say that the process lives and sends; as long as it does, they come in their own time. */
const SIGNS_OF_LIFE: ReadonlySet<LoopName> = new Set(["heart", "adopter"]);

/** Time that stands still until it is told to go on. Microseconds inside, milliseconds for timers. */
export class VirtualTime {
  #now: number;
  #order = 0;
  readonly #heap: Entry[] = [];
  #polls: Poll[] = [];

  /** @param start microseconds since the epoch */
  constructor(start: number) {
    this.#now = start;
  }

  /** Microseconds since the epoch. */
  now(): number {
    return this.#now;
  }

  /** Timers of one owner, who may be gone: then they never fire. */
  timers(isThere: () => boolean): Timers {
    return {
      now: () => this.#now / 1_000,
      set: (ms, fire) => this.#set(this.#now + Math.ceil(ms * 1_000), () => isThere() && fire()),
    };
  }

  /** Timers for the polls of a loop. */
  polls(loop: LoopName, isThere: () => boolean): Timers {
    return {
      now: () => this.#now / 1_000,
      set: (ms, fire) => {
        const every = Math.max(Math.ceil(ms * 1_000), 1);
        const poll: Poll = { at: this.#now + every, every, loop, fire: () => isThere() && fire() };
        this.#polls.push(poll);
        return () => this.#remove(poll);
      },
    };
  }

  /** Calls `fire` in so many microseconds. @returns cancels it */
  after(micros: number, fire: () => void): () => void {
    return this.#set(this.#now + Math.max(Math.ceil(micros), 0), fire);
  }

  /** When the next timer fires; null when there is none. */
  get nextTimer(): number | null {
    while (this.#heap[0]?.isOver === true) this.#pop();
    return this.#heap[0]?.at ?? null;
  }

  /** When the next poll looks. */
  get nextPoll(): number | null {
    return this.#polls.length === 0 ? null : Math.min(...this.#polls.map(({ at }) => at));
  }

  /**
   * Leaves out the looks before a moment, which would find nothing; each loop keeps its rhythm.
   * @param isAlive leaves the signs of life as they are
   */
  postponePolls(until: number, isAlive: boolean): void {
    for (const poll of this.#polls) {
      if (poll.at >= until || (isAlive && SIGNS_OF_LIFE.has(poll.loop))) continue;
      poll.at += Math.ceil((until - poll.at) / poll.every) * poll.every;
    }
  }

  /** Goes on to a moment, and fires what is due by then. */
  moveTo(moment: number): void {
    this.#now = Math.max(this.#now, moment);
    for (;;) {
      const next = this.nextTimer;
      if (next === null || next > this.#now) break;
      const entry = this.#pop();
      if (entry !== undefined) entry.isOver = true;
      entry?.fire();
    }
    const due = this.#polls.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const poll of due) {
      // An earlier one may have cancelled it.
      if (this.#remove(poll)) poll.fire();
    }
  }

  /** Forgets the polls: whoever took those looks is gone. */
  dropPolls(): void {
    this.#polls = [];
  }

  #remove(poll: Poll): boolean {
    const at = this.#polls.indexOf(poll);
    if (at >= 0) this.#polls.splice(at, 1);
    return at >= 0;
  }

  #set(at: number, fire: () => void): () => void {
    this.#order += 1;
    const entry: Entry = { at, order: this.#order, fire, isOver: false };
    this.#push(entry);
    return () => {
      entry.isOver = true;
      // It stays in the heap until its time; what it holds on to need not.
      entry.fire = () => undefined;
    };
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const below = smallerChild(heap, at);
      const child = heap[below];
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function smallerChild(heap: readonly Entry[], at: number): number {
  const left = 2 * at + 1;
  const [a, b] = [heap[left], heap[left + 1]];
  return a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

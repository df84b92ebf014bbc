import { OpspawnError } from "@opspawn/contract";
import type { EventStore, Hints } from "../store.ts";
import type { Timers } from "../timers.ts";
import { Waiters } from "../waiters.ts";
import type { Start } from "./cursor.ts";
import { EventFeed } from "./event-feed.ts";
import { LiveStream } from "./live-stream.ts";
import { type Selection, wakingKey } from "./selection.ts";
import { SharedReads } from "./shared-reads.ts";

/** Milliseconds in which what is committed is gathered, so that a busy server wakes its followers once and not each time. */
const GATHER_MS = 50;

export interface EventStreamsOptions {
  readonly events: EventStore;
  readonly timers: Timers;
  /** Streams open at once. */
  readonly max: number;
  /** Streams of one key. */
  readonly maxPerKey: number;
}

export interface StreamRequest {
  /** Whose stream it is, for the cap. */
  readonly owner: string;
  readonly selection: Selection;
  readonly start: (events: EventStore) => Promise<Start>;
  /** See `LiveStreamParts`. */
  readonly ended: (() => Promise<string | null>) | null;
  /** Aborted when the follower is gone. */
  readonly signal: AbortSignal;
}

/** The open streams of events of this process. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #reads: SharedReads;
  readonly #waiters: Waiters;
  readonly #closing = new AbortController();
  readonly #byOwner = new Map<string, number>();
  #open = 0;
  #gathered = new Set<string>();
  #cancelWake: (() => void) | null = null;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
    this.#reads = new SharedReads(options.events);
    this.#waiters = new Waiters({ timers: options.timers, max: Number.POSITIVE_INFINITY });
  }

  /** Aborted when the server stops. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get size(): number {
    return this.#open;
  }

  /**
   * Begins to follow.
   * @returns null when what is followed has ended and all of it was told before
   * @throws OpspawnError `too_many_streams`, `shutting_down` once the server stops
   */
  async open({ owner, selection, start, ended, signal }: StreamRequest): Promise<LiveStream | null> {
    if (this.closing.aborted) throw new OpspawnError("shutting_down", "The server is stopping.", { retryAfter: 1 });
    const release = this.#take(owner);
    const wait = this.#waiters.open([wakingKey(selection)], Number.POSITIVE_INFINITY, signal);
    const close = () => {
      wait.close();
      release();
    };
    try {
      const { after, lost } = await start(this.#options.events);
      const feed = new EventFeed(this.#reads, selection, after);
      const stream = new LiveStream({ feed, wait, lost, ended, close });
      if (after === 0 || !(await stream.wasToldWhole())) return stream;
    } catch (error) {
      close();
      throw error;
    }
    close();
    return null;
  }

  /** Passes on what was committed, a little later: who commits does not wait for those who look on. */
  notify({ streams }: Pick<Hints, "streams">): void {
    if (this.#open === 0 || streams.size === 0) return;
    for (const stream of streams) this.#gathered.add(stream);
    this.#cancelWake ??= this.#options.timers.set(GATHER_MS, () => this.#wake());
  }

  /** Ends every stream, and refuses those to come: the server is stopping. */
  close(): void {
    this.#cancelWake?.();
    this.#waiters.close();
    this.#closing.abort();
  }

  #wake(): void {
    this.#cancelWake = null;
    const streams = this.#gathered;
    this.#gathered = new Set();
    this.#waiters.notify({ streams, lanes: new Set(), endedSessions: [], deliveries: false });
  }

  /** @returns gives the place back, once */
  #take(owner: string): () => void {
    const { max, maxPerKey } = this.#options;
    const own = this.#byOwner.get(owner) ?? 0;
    if (own >= maxPerKey) throw tooMany(`${own} streams are open with this key already.`);
    if (this.#open >= max) throw tooMany(`${max} streams are open already.`);
    this.#open += 1;
    this.#byOwner.set(owner, own + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#release(owner);
      isTaken = false;
    };
  }

  #release(owner: string): void {
    this.#open -= 1;
    const left = (this.#byOwner.get(owner) ?? 1) - 1;
    if (left === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, left);
  }
}

/** Each stream reads and writes for as long as it likes, so one key must not take all, and all must not take the server. */
function tooMany(message: string): OpspawnError {
  return new OpspawnError("too_many_streams", message, { retryAfter: 5 });
}

import { settled } from "../../app/test-app.ts";
import type { EventStore, StoredEvent } from "../store.ts";
import { cursorOf, startAtCursor, startAtNumber } from "./cursor.ts";
import type { EventStreams } from "./event-streams.ts";
import type { LiveStream, StreamItem } from "./live-stream.ts";
import type { Selection } from "./selection.ts";
import type { Target } from "./targets.ts";

export const ALL: Selection = { stream: null, counts: "positions" };

/** Follows events as a client does: over connections that break, each one going on where the one before it ended. */
export class Follower {
  readonly got: StoredEvent[] = [];
  readonly resets: string[] = [];
  /** The status of the end it was told; null before. */
  end: string | null = null;
  cursor = "";
  readonly selection: Selection;
  readonly #ended: Target["ended"] | null;
  #connection: { stream: LiveStream; gone: AbortController; next: Promise<StreamItem | null> | null } | null = null;

  constructor(selection: Selection = ALL, ended: Target["ended"] | null = null) {
    this.selection = selection;
    this.#ended = ended;
  }

  async connect(streams: EventStreams, owner = "key"): Promise<void> {
    if (this.#connection !== null || this.end !== null) return;
    const gone = new AbortController();
    const start = (events: EventStore) =>
      this.cursor === ""
        ? startAtNumber(events, this.selection, 0)
        : startAtCursor(events, this.selection, this.cursor);
    const request = { owner, selection: this.selection, start, ended: this.#ended, signal: gone.signal };
    const stream = await streams.open(request);
    if (stream === null) this.end = "told before";
    else this.#connection = { stream, gone, next: null };
  }

  /**
   * Takes what there is without waiting.
   * @param keep events of it that arrive before the connection breaks; default: all, and it does not break
   */
  async take(keep = Number.POSITIVE_INFINITY): Promise<StreamItem | null> {
    const connection = this.#connection;
    if (connection === null) return null;
    connection.next ??= connection.stream.next();
    const item = await Promise.race([connection.next, settled().then(() => undefined)]);
    if (item === undefined) return null;
    connection.next = null;
    if (item === null) this.cut();
    else this.#receive(item, keep);
    return item;
  }

  /** Everything there is. */
  async takeAll(): Promise<void> {
    for (let item = await this.take(); item !== null && item.type !== "quiet"; item = await this.take());
  }

  cut(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.gone.abort();
    connection?.stream.close();
  }

  #receive(item: StreamItem, keep: number): void {
    if (item.type === "reset") {
      this.resets.push(item.reason);
      this.cursor = "";
    }
    if (item.type === "quiet" && item.last !== null) this.cursor = cursorOf(item.last);
    if (item.type === "end") this.end = item.status;
    if (item.type === "events") {
      const events = item.events.slice(0, keep);
      this.got.push(...events);
      const last = events.at(-1);
      if (last !== undefined) this.cursor = cursorOf(last);
      if (keep < item.events.length) this.cut();
    }
    if (item.type === "end") this.cut();
  }
}

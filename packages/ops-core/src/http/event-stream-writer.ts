import type { ServerResponse } from "node:http";
import { cursorOf } from "../domain/events/cursor.ts";
import type { StreamItem } from "../domain/events/live-stream.ts";
import { eventView } from "../domain/events/operations.ts";
import type { StoredEvent } from "../domain/store.ts";
import type { Timers } from "../domain/timers.ts";

/** Milliseconds without a word after which a comment says that the connection lives. */
const BEAT_MS = 15_000;
/** Milliseconds for which somebody may read nothing of what is sent. */
const STALLED_MS = 30_000;
/** Milliseconds after which a browser comes back when the connection is lost. */
const RETRY_MS = 1_000;

export const STREAM_TYPE = "text/event-stream";
const HEADERS = {
  "content-type": STREAM_TYPE,
  "cache-control": "no-store",
  // Proxies must not collect it.
  "x-accel-buffering": "no",
};

export interface WriterOptions {
  readonly timers: Timers;
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
}

/**
 * Writes a stream's items as server-sent events. Events are plain messages with their cursor as `id`; `reset` and `end`
 * are named. It holds no more than what it was given last: who writes waits until that has left.
 */
export class EventStreamWriter {
  readonly #response: ServerResponse;
  readonly #options: WriterOptions;
  #wroteAt = 0;
  #cursor = "";

  constructor(response: ServerResponse, options: WriterOptions) {
    this.#response = response;
    this.#options = options;
  }

  begin(headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(200, { ...HEADERS, ...headers });
    this.#response.write(`retry: ${RETRY_MS}\n\n`);
    this.#wroteAt = this.#options.timers.now();
  }

  /** False when nobody reads any more. */
  async write(item: StreamItem): Promise<boolean> {
    const frames = this.#framesOf(item);
    if (frames === null) return !this.#response.destroyed;
    this.#wroteAt = this.#options.timers.now();
    if (this.#response.destroyed) return false;
    return this.#response.write(frames) || this.#drained();
  }

  end(): void {
    this.#response.end();
  }

  abandon(): void {
    this.#response.destroy();
  }

  /** Null when there is nothing to say. */
  #framesOf(item: StreamItem): Buffer | string | null {
    switch (item.type) {
      case "reset":
        // Without an id from here on: who comes back now begins at the beginning, without another reset.
        return `id\nevent: reset\ndata: ${JSON.stringify({ reason: item.reason })}\n\n`;
      case "events":
        this.#cursor = cursorOf(item.events.at(-1) as StoredEvent);
        return framesOf(item.events);
      case "end":
        return `event: end\ndata: ${JSON.stringify({ status: item.status })}\n\n`;
      case "quiet":
        return this.#options.timers.now() - this.#wroteAt < BEAT_MS ? null : this.#beat(item.last);
    }
  }

  /** With the place up to which nothing was wanted, so that it is not looked through again. */
  #beat(last: StoredEvent | null): string {
    const cursor = last === null ? "" : cursorOf(last);
    if (cursor === this.#cursor) return ": beat\n\n";
    this.#cursor = cursor;
    return `: beat\nid: ${cursor}\n\n`;
  }

  /** Whether what was written has left in time. */
  #drained(): Promise<boolean> {
    const { timers, closing } = this.#options;
    const response = this.#response;
    if (closing.aborted) return Promise.resolve(this.#giveUp());
    return new Promise((resolve) => {
      const finish = (isDrained: boolean) => {
        cancel();
        response.removeListener("drain", drain).removeListener("close", gone);
        closing.removeEventListener("abort", stalled);
        resolve(isDrained);
      };
      const drain = () => finish(true);
      const gone = () => finish(false);
      const stalled = () => finish(this.#giveUp());
      const cancel = timers.set(STALLED_MS, stalled);
      response.on("drain", drain).on("close", gone);
      closing.addEventListener("abort", stalled);
    });
  }

  /** Ends the connection in the middle: whoever follows goes on from the last event it has read. */
  #giveUp(): false {
    this.#response.destroy();
    return false;
  }
}

/** What followers of the same place are sent is the same, made once. */
const rendered = new WeakMap<readonly StoredEvent[], Buffer>();

function framesOf(events: readonly StoredEvent[]): Buffer {
  const known = rendered.get(events);
  if (known !== undefined) return known;
  const frames = Buffer.from(events.map(frameOf).join(""));
  rendered.set(events, frames);
  return frames;
}

function frameOf(event: StoredEvent): string {
  return `id: ${cursorOf(event)}\ndata: ${JSON.stringify(eventView(event))}\n\n`;
}

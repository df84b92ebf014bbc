import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import type { StoredEvent } from "../domain/store.ts";
import { TestTimers } from "../outbound/test-timers.ts";
import { EventStreamWriter } from "./event-stream-writer.ts";

/** A connection whose other end reads, or does not. */
class FakeResponse extends EventEmitter {
  readonly written: (string | Buffer)[] = [];
  destroyed = false;
  isFull = false;

  writeHead(): void {}

  write(chunk: string | Buffer): boolean {
    this.written.push(chunk);
    return !this.isFull;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function begun() {
  const response = new FakeResponse();
  const timers = new TestTimers();
  const closing = new AbortController();
  const writer = new EventStreamWriter(response as unknown as ServerResponse, { timers, closing: closing.signal });
  writer.begin({});
  return { response, timers, closing, writer };
}

const events: readonly StoredEvent[] = [{ position: 3, stream: "s", sequence: 1, type: "t", at: 36, data: {} }];
const item = { type: "events", events } as const;

test("each fact is a message of its own, with its cursor, and made once for all who are sent it", async () => {
  const [one, two] = [begun(), begun()];
  assert.equal(await one.writer.write(item), true);
  await two.writer.write(item);
  const data = '{"position":3,"stream":"s","sequence":1,"type":"t","at":"1970-01-01T00:00:00.000036Z","data":{}}';
  assert.equal(String(one.response.written[1]), `id: 10-3\ndata: ${data}\n\n`);
  assert.equal(one.response.written[1], two.response.written[1]);
});

test("a writer waits until what it wrote has left", async () => {
  const { response, writer, timers } = begun();
  response.isFull = true;
  let isWritten: boolean | undefined;
  const writing = writer.write(item).then((done) => {
    isWritten = done;
  });
  timers.advance(29_999);
  await Promise.resolve();
  assert.equal(isWritten, undefined);
  response.emit("drain");
  await writing;
  assert.equal(isWritten, true);
  assert.deepEqual([timers.waiting, response.listenerCount("drain"), response.listenerCount("close")], [[], 0, 0]);
});

test("who reads nothing for 30 s is cut off", async () => {
  const { response, writer, timers } = begun();
  response.isFull = true;
  const writing = writer.write(item);
  timers.advance(30_000);
  assert.equal(await writing, false);
  assert.ok(response.destroyed);
});

test("a stop does not wait for who reads nothing, nor does a connection that is gone", async () => {
  const stopped = begun();
  stopped.response.isFull = true;
  const writing = stopped.writer.write(item);
  stopped.closing.abort();
  assert.equal(await writing, false);
  assert.ok(stopped.response.destroyed);
  const gone = begun();
  gone.response.isFull = true;
  const lost = gone.writer.write(item);
  gone.response.destroy();
  assert.equal(await lost, false);
  assert.equal(await gone.writer.write(item), false);
  assert.equal(gone.response.written.length, 2);
});

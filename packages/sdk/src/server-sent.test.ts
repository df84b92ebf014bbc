import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Block, readBlocks } from "./server-sent.ts";

async function read(...chunks: Uint8Array[]): Promise<Block[]> {
  const blocks: Block[] = [];
  for await (const block of readBlocks(streamOf(chunks), () => undefined)) blocks.push(block);
  return blocks;
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const nothing = { event: undefined, data: undefined, id: undefined };

test("blocks hold what was said, comments nothing, and an empty id is one", async () => {
  const text =
    'retry: 1\n\n: beat\nid: c1\n\nid: c2\ndata: {"a":\ndata: 1}\n\nid\nevent: reset\r\ndata:x\r\n\r\n\n\n: cut';
  assert.deepEqual(await read(bytes(text)), [
    nothing,
    { ...nothing, id: "c1" },
    { ...nothing, id: "c2", data: '{"a":\n1}' },
    { id: "", event: "reset", data: "x" },
  ]);
});

test("what is cut off in the middle is left out", async () => {
  assert.deepEqual(await read(bytes("data: 1\n\nid: c9\ndata: 2\n")), [{ ...nothing, data: "1" }]);
});

test("it does not matter where the network cuts the bytes", async () => {
  const text = 'id: c1\ndata: "äöü 🚀"\n\n: beat\n\nevent: end\ndata: {}\n\n';
  const whole = await read(bytes(text));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: bytes(text).length - 1 })), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes(text).length];
      const chunks = places.slice(1).map((end, i) => bytes(text).slice(places[i], end));
      assert.deepEqual(await read(...chunks), whole);
    }),
  );
});

test("a block without an end is refused", async () => {
  await assert.rejects(read(bytes("x".repeat(17_000_000))), /has no end/);
});

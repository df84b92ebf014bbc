import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { BodyCollector, decodeBody, isPlain } from "./body.ts";

test("a body is its pieces in order, cut at the cap, and cutting is told", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.nat(600), (pieces, cap) => {
      const whole = Buffer.concat(pieces);
      const collector = new BodyCollector(cap);
      const isComplete = pieces.map((piece) => collector.add(Buffer.from(piece))).every((fits) => fits);
      assert.deepEqual(collector.take(), whole.subarray(0, cap));
      assert.equal(isComplete, whole.length <= cap);
    }),
  );
});

test("a body in single bytes takes memory for its bytes, not for its pieces", () => {
  const cap = 1_048_576;
  const collector = new BodyCollector(cap);
  const piece = Buffer.from("x");
  let fitting = 0;
  while (fitting < cap && collector.add(piece)) fitting += 1;
  assert.equal(fitting, cap);
  assert.ok(!collector.add(piece));
  assert.equal(collector.take().buffer.byteLength, cap);
});

test("gzip, deflate and brotli are read up to the cap", async () => {
  const text = Buffer.from("x".repeat(1_000));
  const forms: [string, Buffer][] = [
    ["gzip", gzipSync(text)],
    [" X-GZIP ", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["br", brotliCompressSync(text)],
  ];
  for (const [encoding, bytes] of forms) {
    assert.deepEqual(await decodeBody(bytes, encoding, 1_000), text, encoding);
    assert.equal(await decodeBody(bytes, encoding, 999), null, encoding);
    assert.equal(await decodeBody(bytes.subarray(0, -1), encoding, 1_000), null, `${encoding}, cut`);
  }
});

test("an encoding that is unknown or wrong is not guessed at", async () => {
  for (const encoding of ["zstd", "gzip, gzip", "constructor", ["gzip", "br"]]) {
    assert.equal(await decodeBody(gzipSync("x"), encoding, 1_000), null);
  }
  assert.equal(await decodeBody(Buffer.from("not gzip"), "gzip", 1_000), null);
});

test("only a body without encoding is taken as it is", () => {
  for (const encoding of [undefined, "", "identity"]) assert.ok(isPlain(encoding));
  for (const encoding of ["gzip", "identity, gzip", ["identity"]]) assert.ok(!isPlain(encoding));
});

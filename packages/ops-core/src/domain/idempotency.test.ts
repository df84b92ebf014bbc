import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonValue, parseJson } from "@opspawn/contract";
import fc from "fast-check";
import type { Context } from "./context.ts";
import { idempotencyOf } from "./idempotency.ts";

function context(idempotencyKey: string | undefined): Context {
  const actor = { kind: "key", id: "key_1", scopes: [], agentId: null, open: [] } as const;
  return { actor, requestId: "r", idempotencyKey, signal: AbortSignal.abort(), replayed: false };
}

function hashOf(body: JsonValue): string | undefined {
  return idempotencyOf(context("k"), "things.make", body)?.bodyHash;
}

test("without a key a request is like no other", () => {
  assert.equal(idempotencyOf(context(undefined), "things.make", {}), undefined);
});

test("a request is known by who made it, what it asks for, its key and its body", () => {
  const known = idempotencyOf(context("k"), "things.make", { a: 1 });
  assert.deepEqual({ ...known, bodyHash: "" }, { actor: "key_1", operation: "things.make", key: "k", bodyHash: "" });
  assert.match(known?.bodyHash ?? "", /^[0-9a-f]{64}$/);
});

test("the order of keys does not make another body", () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, each]) => [key, shuffled(each)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      assert.equal(hashOf(shuffled(value) as JsonValue), hashOf(value as JsonValue));
    }),
    { numRuns: 200 },
  );
});

test("another value is another body, numbers as they were written included", () => {
  const texts = [
    "{}",
    "[]",
    "null",
    '{"a":1}',
    '{"a":1.0}',
    '{"a":"1"}',
    '{"a":[1]}',
    '{"a":null}',
    '{"b":1}',
    "[1,2]",
    "[2,1]",
    "[[1],2]",
  ];
  const hashes = texts.map((text) => hashOf(parseJson(text)));
  assert.equal(new Set(hashes).size, texts.length);
});

import assert from "node:assert/strict";
import { it } from "node:test";
import { INVALID_KEY, readBearer } from "./bearer.ts";

it("tells a missing header from an empty one", () => {
  assert.deepEqual(readBearer(undefined), { refused: "Authorization header missing" });
  assert.deepEqual(readBearer(""), { refused: "Invalid authentication credentials" });
});

it("takes the scheme in any case", () => {
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
    assert.deepEqual(readBearer(`${scheme} key`), { key: "key" });
  }
});

it("takes the key exactly, from the first blank to the end", () => {
  assert.deepEqual(readBearer("Bearer  key"), { key: " key" });
  assert.deepEqual(readBearer("Bearer key "), { key: "key " });
  assert.deepEqual(readBearer("Bearer two words"), { key: "two words" });
  assert.deepEqual(readBearer("Bearer "), { key: "" });
});

it("refuses other schemes, and a key without scheme", () => {
  for (const header of ["Basic key", "key", "Bearer", "Bearer\tkey", " Bearer key", "Bearerkey x", "Token key"]) {
    assert.deepEqual(readBearer(header), { refused: INVALID_KEY });
  }
});

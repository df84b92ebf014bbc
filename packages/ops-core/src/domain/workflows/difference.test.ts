import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { document } from "./definition.suite.ts";
import { canonicalJson, definitionHash, describeDifference } from "./difference.ts";

const raw = (text: string) => JSON.rawJSON(text) as unknown as JsonValue;
const known = document([{ taskId: "a", timeout: "1s" }, { taskId: "b" }], { version: "1" });

test("the canonical form does not depend on the order of keys", () => {
  assert.equal(
    canonicalJson({ b: [1, raw("1.0"), null], a: { d: "é", c: true } }),
    '{"a":{"c":true,"d":"é"},"b":[1,1.0,null]}',
  );
});

test("a hash is the same for the same definition however it is laid out, and another for another", () => {
  const turned = Object.fromEntries(Object.entries(known).reverse());
  assert.equal(definitionHash(turned), definitionHash(known));
  assert.match(definitionHash(known), /^[0-9a-f]{64}$/);
  assert.notEqual(definitionHash({ ...known, name: "V" }), definitionHash(known));
  assert.notEqual(definitionHash({ n: raw("1.0") }), definitionHash({ n: 1 }));
  assert.equal(definitionHash({}), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
});

test("a difference is named by its path", () => {
  const cases: readonly (readonly [JsonObject, string])[] = [
    [known, ""],
    [{ ...known, name: "V" }, 'name is "V", was "W"'],
    [{ ...known, tasks: [{ taskId: "a", timeout: "2s" }, { taskId: "b" }] }, 'tasks[0].timeout is "2s", was "1s"'],
    [{ ...known, tasks: [{ taskId: "a", timeout: "1s" }] }, "tasks[1] is missing"],
    [{ ...known, "on failure": "continue" }, '["on failure"] is new'],
    [{ ...known, tasks: {} }, 'tasks is {}, was [{"taskId":"a","timeout":"1s"},{"taskId"...'],
  ];
  for (const [given, expected] of cases) assert.equal(describeDifference(known, given), expected);
});

test("only the first few differences are named", () => {
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`k${at}`, at]));
  assert.equal(describeDifference({}, many), "k0 is new; k1 is new; k2 is new; and 7 more");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, type JsonValue, OpspawnError, parseJson } from "@opspawn/contract";
import { leaseUrl, readTicket, writeTicket } from "./ticket.ts";

const GIVEN = {
  taskId: "task_1",
  attempt: 2,
  token: "2.secret",
  resultUrl: "http://ops.test/v1/opscore/tasks/task_1/result",
  deadline: "2026-01-02T03:04:05.000006Z",
  capability: "work",
};

test("a ticket comes out as it came in, without what it does not know", () => {
  const ticket = readTicket(parseJson(JSON.stringify({ ...GIVEN, more: 1 })));
  assert.deepEqual(ticket === null ? null : writeTicket(ticket), GIVEN);
  const { capability: _, ...older } = GIVEN;
  assert.equal(readTicket(older)?.capability, null);
});

test("a message without a ticket is no task", () => {
  assert.equal(readTicket(undefined), null);
  assert.equal(readTicket(null), null);
});

const WRONG: readonly [string, JsonValue][] = [
  ["taskId", 5],
  ["taskId", "with\nline"],
  ["token", ""],
  ["token", "t".repeat(201)],
  ["attempt", "1"],
  ["attempt", 1.5],
  ["resultUrl", "no url"],
  ["deadline", "tomorrow"],
  ["deadline", null],
  ["capability", 1],
];
for (const [key, value] of WRONG) {
  test(`a ticket whose ${key} is ${JSON.stringify(value).slice(0, 20)} is refused by name`, () => {
    const given: JsonObject = { ...GIVEN, [key]: value };
    assert.throws(
      () => readTicket(given),
      (error) => error instanceof OpspawnError && error.issues?.[0]?.loc.join(".") === `body.opspawn.${key}`,
    );
  });
}

test("a ticket that is no object is refused", () => {
  assert.throws(() => readTicket("task_1"), /opspawn: must be an object/);
});

test("the lease is asked for beside the result, on Ops-Core's own route only", () => {
  const of = (resultUrl: string) => leaseUrl({ taskId: "task_1", resultUrl }, "http://ops.test");
  assert.equal(of(GIVEN.resultUrl), "http://ops.test/v1/opscore/tasks/task_1/lease");
  const below = "http://ops.test/below/v1/opscore/tasks/task_1";
  assert.equal(of(`${below}/result`), `${below}/lease`);
  const route = "/v1/opscore/tasks/task_1/result";
  for (const origin of ["http://ops.test:81", "https://ops.test", "http://evil.test", "http://ops.test@evil.test"]) {
    assert.equal(of(origin + route), null, origin);
  }
  for (const path of [
    "/v1/opscore/tasks/task_2/result",
    "/v1/tools/result",
    `${route}?x=1`,
    `${route}#x`,
    `/x?${route}`,
    `/x#${route}`,
    "",
  ]) {
    assert.equal(of(`http://ops.test${path}`), null, path);
  }
  assert.equal(of("not a url"), null);
});

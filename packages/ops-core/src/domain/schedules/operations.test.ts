import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";

const PATH = "/v1/opscore/schedules";
// Tests begin at 2023-11-14T22:13:20Z.
const WORKFLOW = {
  id: "report",
  name: "Report",
  version: "1",
  input: { schema: { type: "object", required: ["topic"] } },
  tasks: [{ taskId: "only", agentCapability: "write", parameters: { due: "${{ session.labels.dueAt }}" } }],
};
const BODY = { name: "daily", workflowId: "report", input: { topic: "all" }, cron: "0 9 * * *" };

let app: TestApp;

beforeEach(async () => {
  app = new TestApp();
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition: WORKFLOW } });
});

afterEach(() => app.close());

function create(change: JsonObject = {}): Promise<JsonObject> {
  return app.ok("POST", PATH, { body: { ...BODY, ...change } });
}

/** Why a body is refused: its code, and each place with what is wrong there. */
async function refusal(change: Record<string, JsonValue | undefined>, path = PATH, method: "POST" | "PUT" = "POST") {
  const { body } = await app.call(method, path, { body: { ...BODY, ...change } as JsonObject });
  const { code, detail } = body;
  const issues = Array.isArray(detail) ? (detail as { loc: string[]; msg: string }[]) : [];
  return [code, ...issues.map(({ loc, msg }) => `${loc.slice(1).join(".")}: ${msg}`)].join(" | ");
}

/** The engine's part: fires what is due. */
async function fire(ms: number): Promise<void> {
  app.time.advance(ms);
  while ((await app.app.store.schedules.fire(10)) > 0);
}

async function fires(name: string): Promise<string[]> {
  const { items } = await app.ok("GET", `${PATH}/${name}/fires`);
  return (items as JsonObject[]).map(({ kind, dueAt, outcome }) => `${kind} ${String(dueAt).slice(5, 16)} ${outcome}`);
}

test("a schedule says all about itself, by id or name", async () => {
  const created = await create({ timeZone: "Europe/Berlin", labels: { team: "x" } });
  assert.match(String(created.scheduleId), /^sch_/);
  const { scheduleId, createdAt, updatedAt, ...rest } = created;
  assert.equal(createdAt, updatedAt);
  assert.deepEqual(rest, {
    ...{ name: "daily", workflowId: "report", version: null, input: { topic: "all" }, agentId: null },
    ...{ labels: { team: "x" }, cron: "0 9 * * *", timeZone: "Europe/Berlin", every: null, anchor: null },
    ...{ startAt: null, endAt: null, overlap: "skip", catchUp: "one", catchUpWindow: "1h", status: "active" },
    ...{ note: null, nextAt: "2023-11-15T08:00:00.000000Z", queued: 0, consecutiveFailures: 0, lastFire: null },
    ...{ counts: { started: 0, skipped: 0, failed: 0, missed: 0 } },
    blocked: {
      reason: "not_due",
      message: "Its next fire is due at 2023-11-15T08:00:00.000000Z.",
      since: createdAt,
      details: { nextAt: "2023-11-15T08:00:00.000000Z" },
    },
  });
  assert.deepEqual(await app.ok("GET", `${PATH}/${scheduleId}`), created);
  assert.deepEqual(await app.ok("GET", `${PATH}/daily`), created);
  assert.deepEqual((await app.ok("GET", PATH)).items, [created]);
  assert.deepEqual((await app.ok("GET", `${PATH}?label=team=y`)).items, []);
  assert.deepEqual((await app.ok("GET", `${PATH}?paused=true`)).items, []);
  assert.equal((await app.call("GET", `${PATH}/weekly`)).body.code, "schedule_not_found");
});

test("an interval counts from the time it was made, or from where it is told to", async () => {
  const plain = await create({ cron: undefined as never, every: "15m" });
  assert.deepEqual([plain.every, plain.nextAt], ["15m", "2023-11-14T22:28:20.000000Z"]);
  const anchored = await create({ name: "b", cron: undefined as never, every: "15m", anchor: "2020-01-01T00:05:00Z" });
  assert.equal(anchored.nextAt, "2023-11-14T22:20:00.000000Z");
  const later = await create({
    name: "c",
    cron: undefined as never,
    every: "1h",
    startAt: "2024-01-01T00:00:00+01:00",
  });
  assert.deepEqual([later.anchor, later.nextAt], ["2023-12-31T23:00:00.000000Z", "2023-12-31T23:00:00.000000Z"]);
  app.time.advance(60_000);
  const kept = await app.ok("PUT", `${PATH}/daily`, { body: { ...BODY, cron: undefined as never, every: "15m" } });
  assert.equal(kept.nextAt, plain.nextAt, "the same interval goes on as before");
});

test("what makes no sense is refused with its place", async () => {
  const wrong: [Record<string, JsonValue | undefined>, string][] = [
    [{ every: "1h" }, "invalid_request | cron: give either cron or every, and not both"],
    [{ cron: undefined }, "invalid_request | cron: give either cron or every, and not both"],
    [{ cron: "0 9 * *" }, "invalid_request | cron: must have five fields (minute hour day month weekday), or six"],
    [{ cron: "0 25 * * *" }, "invalid_request | cron: is no cron expression: Invalid value for hour: 25"],
    [{ cron: "0 0 31 2 *" }, "invalid_request | cron: no due time is left, so it would never start anything"],
    [{ endAt: "2020-01-01T00:00:00Z" }, "invalid_request | endAt: no due time is left"],
    [{ startAt: "2024-01-01T00:00:00Z", endAt: "2024-01-01T00:00:00Z" }, "invalid_request | endAt: must be after"],
    [{ timeZone: "Mars/Base" }, "invalid_request | timeZone: is no IANA time zone, such as Europe/Berlin or UTC"],
    [{ cron: undefined, every: "999ms" }, "invalid_request | every: must be at least 1s"],
    [{ cron: undefined, every: "400d" }, "invalid_request | every: must be at most 366d"],
    [{ cron: undefined, every: "1h", timeZone: "UTC" }, "invalid_request | timeZone: belongs to cron"],
    [{ anchor: "2020-01-01T00:00:00Z" }, "invalid_request | anchor: belongs to every"],
    [{ catchUpWindow: "8d" }, "invalid_request | catchUpWindow: must be at most 7d"],
    [{ catchUpWindow: "1ms" }, "invalid_request | catchUpWindow: must be at least 1s"],
    [{ labels: { dueAt: "x" } }, "invalid_request | labels.dueAt: is set by the schedule itself"],
    [{ name: "sch_1" }, "invalid_request | name: must not begin with sch_, as ids do"],
    [{ overlap: "wait" }, "invalid_request | overlap: "],
    [{ workflowId: "none" }, "workflow_not_found"],
    [{ version: "2" }, "workflow_not_found"],
    [{ agentId: "nobody" }, "agent_not_found"],
    [{ input: {} }, "input_invalid | input.topic: "],
  ];
  const labels = Object.fromEntries(Array.from({ length: 31 }, (_, n) => [`l${n}`, "x"]));
  for (const [change, text] of [
    ...wrong,
    [{ labels }, "invalid_request | labels: At most 30 labels"],
  ] as typeof wrong) {
    const told = await refusal(change);
    assert.ok(told.startsWith(text), told);
  }
  assert.deepEqual((await app.ok("GET", PATH)).items, []);
  await create();
  assert.equal(await refusal({}), "schedule_name_taken");
  assert.ok((await refusal({ cron: "x" }, `${PATH}/daily`, "PUT")).startsWith("invalid_request | cron:"));
  assert.equal(await refusal({}, `${PATH}/none`, "PUT"), "schedule_not_found");
});

test("creating it again under the same key makes no second one, and answers the first", async () => {
  const headers = { "idempotency-key": "k1" };
  const first = await app.call("POST", PATH, { body: BODY, headers });
  const again = await app.call("POST", PATH, { body: BODY, headers });
  assert.equal(first.status, 201);
  assert.deepEqual(again.body, first.body);
  const other = await app.call("POST", PATH, { body: { ...BODY, name: "x" }, headers });
  assert.equal(other.body.code, "idempotency_key_reused");
});

test("a step can work on the due time, whenever its session starts", async () => {
  const writer = await app.pullAgent("writer", ["write"]);
  await create();
  await fire(11 * 3_600_000);
  const [assignment] = await app.claim(writer);
  assert.ok(assignment !== undefined);
  assert.deepEqual((assignment.payload as JsonObject).due, "2023-11-15T09:00:00.000000Z");
});

test("pause with a note, resume, and the next due times of either", async () => {
  await create();
  const paused = await app.ok("POST", `${PATH}/daily/pause`, { body: { note: "holidays" } });
  assert.deepEqual([paused.status, paused.nextAt, paused.note], ["paused", null, "holidays"]);
  assert.equal((paused.blocked as JsonObject).message, "It is paused: holidays");
  assert.equal((await app.ok("POST", `${PATH}/daily/pause`)).note, "holidays");
  const next = await app.ok("GET", `${PATH}/daily/next?count=2`);
  assert.deepEqual(next.items, ["2023-11-15T09:00:00.000000Z", "2023-11-16T09:00:00.000000Z"]);
  const later = await app.ok("GET", `${PATH}/daily/next?count=1&after=2024-02-28T12:00:00Z`);
  assert.deepEqual([later.items, later.timeZone], [["2024-02-29T09:00:00.000000Z"], "UTC"]);
  assert.equal((await app.ok("POST", `${PATH}/daily/resume`)).status, "active");
});

test("trigger answers the session, once for a key, and says what is in its way", async () => {
  const { scheduleId } = await create({ paused: true });
  const headers = { "idempotency-key": "now" };
  const { status, body } = await app.call("POST", `${PATH}/daily/trigger`, { headers });
  assert.deepEqual([status, body.scheduleId, body.sequence], [202, scheduleId, 1]);
  const session = await app.ok("GET", `/v1/opscore/sessions/${body.sessionId}`);
  assert.deepEqual(session.labels, { schedule: "daily", dueAt: "2023-11-14T22:13:20.000000Z" });
  await app.ok("DELETE", `${PATH}/daily`);
  assert.deepEqual((await app.call("POST", `${PATH}/daily/trigger`, { headers })).body, body);
  assert.equal((await app.call("POST", `${PATH}/daily/trigger`)).body.code, "schedule_not_found");
});

test("backfill: first a dry run, then the past in order, and nothing twice", async () => {
  await create({ overlap: "queue" });
  const range = { from: "2023-11-10T00:00:00Z", to: "2023-11-14T00:00:00Z" };
  const backfill = (body: JsonObject) => app.ok("POST", `${PATH}/daily/backfill`, { body });
  const outcomes = ({ items }: JsonObject) => (items as JsonObject[]).map(({ outcome }) => outcome);
  const dry = await backfill({ ...range, max: 3, dryRun: true });
  assert.deepEqual([outcomes(dry), dry.next], [["due", "due", "due"], "2023-11-13T09:00:00.000000Z"]);
  assert.deepEqual(await fires("daily"), []);
  const some = await backfill({ ...range, max: 2 });
  assert.deepEqual([outcomes(some), some.next], [["started", "queued"], "2023-11-12T09:00:00.000000Z"]);
  const rest = await backfill({ ...range, overlap: "allow" });
  assert.deepEqual([outcomes(rest), rest.next], [["started", "started"], null]);
  assert.deepEqual(outcomes(await backfill(range)), []);
  assert.deepEqual(await fires("daily"), [
    "backfill 11-13T09:00 started",
    "backfill 11-12T09:00 started",
    "backfill 11-11T09:00 queued",
    "backfill 11-10T09:00 started",
  ]);
  assert.equal(((await app.ok("GET", `${PATH}/daily`)).blocked as JsonObject).reason, "earlier_session_open");
});

test("why: paused, not due, or held up by an earlier session; each reason is a filter", async () => {
  const why = async (name: string) => {
    const { blocked, explanation } = await app.ok("GET", `${PATH}/${name}/why`);
    return [(blocked as JsonObject | null)?.reason ?? null, ...(explanation as string[])];
  };
  const listed = async (reason: string) =>
    ((await app.ok("GET", `${PATH}?blockedReason=${reason}`)).items as JsonObject[]).map((each) => {
      assert.equal((each.blocked as JsonObject).reason, reason);
      return each.name;
    });
  await create({ name: "held", overlap: "queue", every: "1h", cron: undefined as never });
  await create({ name: "free", overlap: "allow", every: "1h", cron: undefined as never });
  await create({ name: "off", paused: true });
  assert.equal((await why("held"))[0], "not_due");
  for (let n = 0; n < 2; n++) await fire(3_600_000);
  const [reason, wait, next, last] = await why("held");
  assert.equal(reason, "earlier_session_open");
  assert.match(String(wait), /^1 fire waits for the end of session .* \(earlier_session_open, since /);
  assert.equal(next, "Its next fire is due at 2023-11-15T01:13:20.000000Z.");
  assert.match(String(last), /^The fire due at 2023-11-15T00:13:20.000000Z was queued: earlier_session_open\.$/);
  assert.match(String((await why("free"))[2]), /was started: session .*, which is started\.$/);
  assert.match(String((await why("off"))[1]), /^It is paused\. \(paused, since /);
  assert.deepEqual(await Promise.all(["paused", "earlier_session_open", "not_due", "bad_weather"].map(listed)), [
    ["off"],
    ["held"],
    ["free"],
    [],
  ]);
});

test("a long backfill goes on where the last one stopped", async () => {
  await create({ cron: "* * * * *" });
  const body = { from: "2023-11-10T00:00:00Z", dryRun: true, max: 1_000 };
  const first = await app.ok("POST", `${PATH}/daily/backfill`, { body });
  assert.equal(first.next, "2023-11-10T16:40:00.000000Z");
  const scanned = await app.ok("POST", `${PATH}/daily/backfill`, { body: { ...body, from: first.next as string } });
  assert.equal((scanned.items as JsonObject[])[0]?.dueAt, first.next);
});

test("a backfill is about the past, a year of it, as far as history is kept", async () => {
  await create();
  const refused = async (body: JsonObject) => {
    const answer = await app.call("POST", `${PATH}/daily/backfill`, { body });
    return (answer.body.detail as { msg: string }[])[0]?.msg;
  };
  assert.match((await refused({ from: "2024-01-01T00:00:00Z" })) ?? "", /before now/);
  const future = { from: "2023-11-01T00:00:00Z", to: "2024-01-01T00:00:00Z" };
  assert.match((await refused(future)) ?? "", /must not be in the future/);
  assert.match((await refused({ from: "2020-01-01T00:00:00Z" })) ?? "", /at most 366d before/);
  assert.match((await refused({ from: "yesterday" })) ?? "", /must be a time such as/);
});

test("an agent's own key sees and changes no schedule; scopes tell who does", async () => {
  const agent = await app.pullAgent("worker");
  const keyed = async (scope: string) => {
    const made = await app.ok("POST", "/v1/opscore/keys", { body: { name: scope, scopes: [scope] } });
    return made.secret as string;
  };
  const [reader, writer, starter] = [
    await keyed("schedules:read"),
    await keyed("schedules:write"),
    await keyed("sessions:write"),
  ];
  const status = async (method: "GET" | "POST", key: string | null) =>
    (await app.call(method, PATH, { key, ...(method === "POST" ? { body: BODY } : {}) })).status;
  assert.deepEqual(
    [await status("GET", null), await status("GET", agent.key), await status("POST", agent.key)],
    [401, 403, 403],
  );
  assert.deepEqual(
    [await status("POST", reader), await status("POST", starter), await status("POST", writer)],
    [403, 403, 201],
  );
  assert.deepEqual([await status("GET", reader), await status("GET", writer)], [200, 403]);
});

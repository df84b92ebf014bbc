import assert from "node:assert/strict";
import { test } from "node:test";
import { operations } from "@opspawn/contract";
import { sampleFire, sampleSchedule } from "@opspawn/sdk/testing";
import { FakeCli } from "../fake-cli.ts";

const AT = "2026-05-01T12:00:00.000000Z";
const { schedules } = operations;
const long = "a name much longer than any table has room for, ".repeat(4);

const cli = new FakeCli(90_000_000);
const opspawn = cli.run;

const stdoutOf = (...argv: string[]) => cli.stdoutOf("schedules", ...argv);

const one = <T>(item: T) => ({ items: [item], nextCursor: null });

test("lists of schedules and of fires fit 80 columns", async () => {
  const error = { code: "internal", message: long };
  const item = { dueAt: AT, outcome: "failed" as const, reason: null, error, sessionId: null };
  cli.server
    .on(schedules.list, one(sampleSchedule({ name: long, workflowId: long, cron: "0,15,30,45 8-18 * * mon-fri" })))
    .on(schedules.fires, one(sampleFire({ outcome: "failed", sessionId: null, error })))
    .on(schedules.backfill, { dryRun: false, items: [item], next: null });
  for (const command of [["list"], ["fires", "s1"], ["backfill", "s1", "--from", AT]]) {
    const lines = (await stdoutOf(...command)).trimEnd().split("\n");
    assert.equal(lines.length, 2);
    for (const line of lines) assert.ok(line.length <= 80, `${command.join(" ")}: ${line.length} ${line}`);
  }
});

test("create and update send what was said, and say when it is due", async () => {
  cli.server
    .on(schedules.create, sampleSchedule())
    .on(schedules.get, sampleSchedule())
    .on(schedules.update, sampleSchedule());
  const when = ["--cron", "30 2 * * *", "--time-zone", "Europe/Berlin", "--overlap", "queue", "--catch-up", "all"];
  const what = ["--workflow", "report", "--input", '{"a":1}', "--label", "team=docs", "--catch-up-window", "2h"];
  const made = await stdoutOf("create", "nightly", ...when, ...what, "--paused", "--note", "not yet");
  assert.match(made, /^Schedule review-nightly \(sch_.*\) is active\.\s/);
  assert.match(made, /Next: 2026-05-02T00:30:00Z\s\(2026-05-02 02:30 Europe\/Berlin\)\.\n$/);
  const body = {
    ...{ name: "nightly", workflowId: "report", input: { a: 1 }, labels: { team: "docs" }, cron: "30 2 * * *" },
    ...{ timeZone: "Europe/Berlin", overlap: "queue", catchUp: "all", catchUpWindow: "2h" },
  };
  assert.deepEqual(cli.server.calls[0]?.body, { ...body, paused: true, note: "not yet" });
  const bounds = ["--anchor", AT, "--start-at", AT, "--end-at", "2027-01-01T00:00:00Z"];
  await stdoutOf("update", "nightly", "--workflow", "report", "--every", "15m", ...bounds);
  assert.deepEqual(cli.server.calls.at(-1)?.body, {
    ...{ name: "review-nightly", workflowId: "report", every: "15m", anchor: AT, startAt: AT },
    endAt: "2027-01-01T00:00:00Z",
  });
});

test("one schedule: when, what waits and why, what failed", async () => {
  const blocked = { reason: "earlier_session_open", message: "2 fires wait for the end of session s1.", since: AT };
  const lastFire = sampleFire({ outcome: "missed", count: 4, sessionId: null, reason: "too_late" });
  cli.server.on(schedules.get, sampleSchedule({ queued: 2, blocked, consecutiveFailures: 3, lastFire }));
  const shown = await stdoutOf("get", "nightly");
  assert.match(shown, /When +30 2 \* \* \* Europe\/Berlin\n/);
  assert.match(shown, /Next +2026-05-02T00:30:00Z \(2026-05-02 02:30 Europe\/Berlin\)\n/);
  assert.match(shown, /Fires +7 started, 0 skipped, 0 failed, 0 missed\n/);
  assert.match(shown, /Last +missed 4 \(due 1m ago\): too_late\n/);
  assert.match(shown, /Failed in a row +3\n/);
  assert.match(shown, /Waits for +2 fires wait for the end of session s1\.\n/);
});

test("list and fires: filters, and what became of each due time", async () => {
  cli.server.on(schedules.list, one(sampleSchedule({ queued: 1 }))).on(schedules.fires, one(sampleFire()));
  assert.match(await stdoutOf("list", "--paused", "--workflow", "w", "--label", "a=b"), / waiting .* started\n/);
  assert.deepEqual(cli.server.calls[0]?.query, { paused: "true", workflow: "w", label: "a=b" });
  await stdoutOf("list", "--running");
  assert.deepEqual(cli.server.calls[1]?.query, { paused: "false" });
  assert.match(
    await stdoutOf("fires", "nightly", "--outcome", "started"),
    /\n7 +2026-05-01T12:00:00Z +started +series +0199/,
  );
  assert.deepEqual(cli.server.calls[2]?.query, { outcome: "started" });
});

test("pause, resume, trigger, next, delete", async () => {
  cli.server
    .on(schedules.pause, sampleSchedule({ status: "paused", nextAt: null }))
    .on(schedules.resume, sampleSchedule({ timeZone: "UTC" }))
    .on(schedules.trigger, { scheduleId: "sch_1", sessionId: "s1", sequence: 1, dueAt: AT })
    .on(schedules.next, { scheduleId: "sch_1", timeZone: "UTC", items: [AT] })
    .on(schedules.remove, { scheduleId: "sch_1", name: "nightly" });
  assert.equal(await stdoutOf("pause", "nightly", "--note", "x"), "Schedule review-nightly is paused.\n");
  assert.deepEqual(cli.server.calls[0]?.body, { note: "x" });
  assert.match(await stdoutOf("resume", "nightly"), /is active\. Next: 2026-05-02T00:30:00Z\.\n$/);
  const triggered = await opspawn("schedules", "trigger", "nightly", "--idempotency-key", "k1");
  assert.equal(triggered.stdout, "s1\n");
  assert.match(triggered.stderr, /sessions watch s1/);
  assert.equal(await stdoutOf("next", "nightly", "--count", "1", "--after", AT), "2026-05-01T12:00:00Z\n");
  assert.deepEqual(cli.server.calls.at(-1)?.query, { count: "1", after: AT });
  assert.equal(await stdoutOf("delete", "nightly"), "Schedule nightly is deleted.\n");
});

test("a backfill says what it did, what there was to do, and where to go on", async () => {
  const item = { dueAt: AT, outcome: "due" as const, reason: null, error: null, sessionId: null };
  cli.server.on(
    schedules.backfill,
    { dryRun: true, items: [item], next: "2026-05-02T00:00:00.000000Z" },
    { dryRun: false, items: [], next: null },
  );
  const range = ["--from", AT, "--to", "2026-05-03T00:00:00Z"];
  const first = await opspawn("schedules", "backfill", "nightly", ...range, "--max", "1", "--dry-run");
  assert.match(first.stdout, /\n2026-05-01T12:00:00Z +due +-\n$/);
  assert.equal(first.stderr, "There is more: go on with --from 2026-05-02T00:00:00.000000Z\n");
  assert.deepEqual(cli.server.calls[0]?.body, { from: AT, to: "2026-05-03T00:00:00Z", max: 1, dryRun: true });
  const none = await opspawn("schedules", "backfill", "nightly", ...range, "--overlap", "queue");
  assert.match(none.stderr, /Nothing to do/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type EventView, formatTime, type JsonObject } from "@opspawn/contract";
import { drawSpans, Timeline } from "./timeline.ts";

const BEGIN = 1_800_000_000_000_000;

function event(millis: number, type: string, data: JsonObject = {}): EventView {
  return { position: 1, stream: "s", sequence: 1, type, at: formatTime(BEGIN + millis * 1_000), data };
}

function tell(timeline: Timeline, ...events: EventView[]): string[] {
  return events.flatMap((each) => timeline.tell(each)?.text ?? []);
}

const created = (taskId: string, stepId: string) => event(0, "task.created", { taskId, stepId, name: "Some step" });
const on = (millis: number, taskId: string, number = 1) =>
  event(millis, "attempt.created", { taskId, number, agentId: "a1", agentName: "analyst" });

test("a session that goes well is told step by step, with agents and durations", () => {
  const timeline = new Timeline(80);
  const lines = tell(
    timeline,
    event(0, "session.started"),
    created("t1", "split"),
    on(20, "t1"),
    event(30, "attempt.acknowledged", { taskId: "t1", number: 1 }),
    event(1_520, "attempt.succeeded", { taskId: "t1", number: 1 }),
    event(1_520, "task.completed", { taskId: "t1" }),
    event(1_530, "session.completed"),
  );
  assert.deepEqual(lines, [
    "    0.00 s               the session is accepted",
    "    0.02 s  split        started on analyst",
    "    0.03 s  split        taken by analyst, which will report",
    "    1.52 s  split        done by analyst in 1.50 s",
    "    1.53 s               the session is completed",
  ]);
  assert.equal(timeline.status, "completed");
  assert.deepEqual(timeline.spans, [{ step: "split", from: 20_000, until: 1_520_000, attempts: 1 }]);
});

test("progress is told as it is said, and silence as what it is", () => {
  const error = { code: "silent", message: "The agent has made no progress beyond 3." };
  const lines = tell(
    new Timeline(80),
    created("t1", "split"),
    on(0, "t1"),
    event(100, "attempt.progress", { taskId: "t1", number: 1, counter: 3, note: "page 3" }),
    event(5_100, "attempt.suspect", { taskId: "t1", number: 1 }),
    event(6_000, "attempt.recovered", { taskId: "t1", number: 1 }),
    event(9_000, "attempt.timed_out", { taskId: "t1", number: 1, error }),
    event(9_500, "attempt.late_progress", { taskId: "t1", number: 1 }),
  );
  assert.deepEqual(
    lines.slice(1).map((line) => line.slice(25)),
    [
      "analyst is at 3: page 3",
      "analyst makes no progress",
      "analyst gets on again",
      "analyst made no progress for too long",
      "analyst is still at an attempt that has ended",
    ],
  );
});

test("a step that a tool does names the tool", () => {
  const timeline = new Timeline(80);
  const started = event(20, "attempt.created", { taskId: "t1", number: 1, agentId: null, tool: "slack.post" });
  const lines = tell(timeline, created("t1", "notify"), started);
  assert.deepEqual(lines, ["    0.02 s  notify       started on slack.post"]);
});

test("failures say why, retries say when, and each further attempt is numbered", () => {
  const error = { code: "http_500", message: "The agent answered 500." };
  const lines = tell(
    new Timeline(80),
    created("t1", "links"),
    on(0, "t1"),
    event(100, "attempt.failed", { taskId: "t1", number: 1, error }),
    event(100, "task.retrying", { taskId: "t1", readyAt: BEGIN + 850_000, used: 1, max: 4, error }),
    on(900, "t1", 2),
    event(950, "attempt.interrupted", { taskId: "t1", message: "socket hang up" }),
    event(990, "attempt.resent", { taskId: "t1", send: 2 }),
    event(1_000, "attempt.timed_out", { taskId: "t1" }),
    event(1_000, "task.fell_back", { taskId: "t1" }),
    event(2_000, "task.failed", { taskId: "t1", error }),
    event(2_000, "session.failed", { error }),
  );
  assert.deepEqual(
    lines.map((line) => line.slice(25)),
    [
      "started on analyst",
      "failed on analyst: The agent answered 500.",
      "again in 750 ms, 1 of 4 tries used",
      "attempt 2 on analyst",
      "analyst was cut off: socket hang up",
      "sent again to analyst, same attempt",
      "analyst did not finish in time",
      "falls back to another agent",
      "failed for good: The agent answered 500.",
      "the session failed: The agent answered 500.",
    ],
  );
});

test("lines hold in 80 columns, and what others wrote cannot steer the terminal", () => {
  const error = { message: `\u001b[2J\u202e${"long ".repeat(40)}` };
  const lines = tell(
    new Timeline(80),
    created("t1", "a-step-with-a-long-name"),
    on(0, "t1"),
    event(1, "attempt.failed", { taskId: "t1", error }),
  );
  assert.ok(
    lines.every((line) => line.length <= 80 && !/\p{Cc}|\p{Cf}/u.test(line)),
    lines.join("\n"),
  );
  assert.match(lines[1] ?? "", /a-step-with… failed on analyst: long/);
});

test("a question shows its id whole in 80 columns: it is what one decides by", () => {
  const approvalId = "apr_01999999-0000-7000-8000-000000000004";
  const lines = tell(
    new Timeline(80),
    event(0, "approval.requested", { approvalId, stepId: "a-step-with-a-long-name" }),
    event(5_000, "approval.approved", { approvalId, stepId: "ok", by: "ann (key_1)" }),
  );
  assert.match(lines[0] ?? "", new RegExp(`decide: ${approvalId}$`));
  assert.match(lines[1] ?? "", /ok +approved by ann \(key_1\)$/);
});

test("events nobody announced, or without data, are survived", () => {
  const timeline = new Timeline(80);
  tell(timeline, event(0, "attempt.succeeded"), event(0, "task.retrying"), event(1, "brand.new"), event(2, "session"));
  assert.equal(timeline.status, null);
});

test("bars show what ran side by side", () => {
  const spans = [
    { step: "split", from: 0, until: 500_000, attempts: 1 },
    { step: "links", from: 0, until: 1_000_000, attempts: 2 },
    { step: "report", from: 1_000_000, until: 1_000_000, attempts: 1 },
  ];
  const drawn = drawSpans(spans, 1_000_000, 80);
  const bars = drawn.map((line) => [line.indexOf("█"), line.split("█").length - 1]);
  assert.deepEqual(bars, [
    [25, 18],
    [25, 36],
    [60, 1],
  ]);
  assert.ok(drawn.every((line) => line.length <= 80));
  assert.match(drawn[1] ?? "", /1\.00 s {2}2 tries$/);
});

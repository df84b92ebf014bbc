import assert from "node:assert/strict";
import { test } from "node:test";
import { operations } from "@opspawn/contract";
import { sampleCancellation, sampleSession, sampleSessionDetail, sampleTask } from "@opspawn/sdk/testing";
import { FakeCli } from "../fake-cli.ts";

const { sessions, tasks } = operations;
const POLL = 300_000;
const ID = sampleSession().sessionId;
const AT = sampleCancellation().requestedAt;
const cancelled = sampleSession({ status: "cancelled" });
const open = sampleCancellation();
const stopped = sampleCancellation({
  stage: "stopped",
  isConfirmed: true,
  endedAt: AT,
  stageDeadline: null,
  evidence: "receipt",
});
const silent = sampleCancellation({
  agentName: "an agent with quite a long name",
  stage: "unreachable",
  endedAt: AT,
  stageDeadline: null,
  stuckAt: "delivered",
  note: "The agent was told, and did not answer in time.",
});

const cli = new FakeCli();
const opspawn = cli.run;

test("sessions: a cancel says who had work of it, within 80 columns, and how to hear more", async () => {
  cli.server.on(sessions.cancel, { ...cancelled, cancellations: [open, stopped, silent] });
  const { stdout, stderr } = await opspawn("sessions", "cancel", "s1", "--reason", "oops");
  assert.deepEqual(cli.server.calls[0]?.body, { reason: "oops" });
  const said = stdout.replaceAll("\n", " ");
  assert.match(said, /is cancelled\. 3 agents had work of it: 1 confirmed, 1 did not, 1 may still answer\./);
  assert.match(stdout, /fetcher +fetch +1 +delivered +until /);
  assert.match(stdout, /fetcher +fetch +1 +stopped +receipt/);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(stderr, new RegExp(`sessions cancellations ${ID}`));
});

test("sessions: a cancel of what nobody was at says no more than that", async () => {
  cli.server.on(sessions.cancel, { ...cancelled, cancellations: [] });
  assert.equal((await opspawn("sessions", "cancel", "s1")).stdout, `Session ${ID} is cancelled.\n`);
});

test("sessions: a cancel waits for the last word of each agent, or as long as it was told", async () => {
  const page = (item: typeof open) => ({ items: [item], nextCursor: null });
  cli.server.on(sessions.cancel, { ...cancelled, cancellations: [open] });
  cli.server.on(sessions.cancellations, page(open), page(stopped));
  const waiting = opspawn("sessions", "cancel", "s1", "--wait");
  await cli.io.clock.reach(POLL);
  const { stdout, stderr, exitCode } = await waiting;
  assert.match(stderr, /Waiting for 1 agent/);
  assert.match(stdout, /1 agent had work of\sit: 1 confirmed\./);
  assert.deepEqual([exitCode, cli.server.callsOf("sessions.cancellations").length], [0, 2]);
  cli.server.on(sessions.cancellations, page(open));
  const patient = opspawn("sessions", "cancel", "s1", "--wait=1s");
  for (let polls = 0; polls < 4; polls += 1) await cli.io.clock.reach(POLL);
  const late = await patient;
  assert.equal(late.exitCode, 1);
  assert.match(late.stderr, /1 of 1 cancellations are still open after 1s/);
});

test("sessions and tasks show who was told to stop", async () => {
  cli.server.on(sessions.get, sampleSessionDetail({ status: "cancelled", cancellations: [silent] }));
  cli.server.on(sessions.cancellations, { items: [silent], nextCursor: null });
  const task = { ...sampleTask({ status: "cancelled", blocked: null }), cancellations: [stopped] };
  cli.server.on(tasks.get, { ...task, parameters: {}, attemptList: [] });
  cli.server.on(tasks.cancel, task);
  assert.match(
    (await opspawn("sessions", "get", "s1")).stdout,
    /\nTold to stop\nAGENT +STEP +TRY +STAGE +HOW WE KNOW\n/,
  );
  assert.match((await opspawn("sessions", "cancellations", "s1")).stdout, /unreachable +The agent was told/);
  assert.match((await opspawn("tasks", "get", "t1")).stdout, /\nTold to stop\n/);
  assert.match((await opspawn("tasks", "cancel", "t1")).stdout, /1 agent had work of\sit: 1 confirmed\./);
});

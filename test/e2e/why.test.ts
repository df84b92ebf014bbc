// What a person is told who asks why work waits: by the command line, at 80 columns, of a server with agents over HTTP.

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";
import { FakeIo, type Ran } from "../../packages/cli/src/fake-io.ts";
import { KEY, Original } from "../conformance/original.ts";
import { Receiver } from "../conformance/receiver.ts";
import { closeConnections } from "../conformance/wire.ts";

let app: Original;
let io: FakeIo;
let receivers: Receiver[];
let starts = 0;
beforeEach(async () => {
  app = new Original();
  await app.start();
  io = new FakeIo();
  receivers = [];
});
afterEach(async () => {
  io.remove();
  await app.close();
  for (const each of receivers) await each.close();
});
after(closeConnections);

function opspawn(...argv: string[]): Promise<Ran> {
  return io.run(argv, { env: { OPSPAWN_URL: app.url, OPSPAWN_API_KEY: KEY, COLUMNS: "80" }, columns: 80 });
}

/** An agent that answers each delivery alike. */
async function agent(name: string, capability: string, status: number): Promise<Receiver> {
  const receiver = await new Receiver().open();
  receiver.answers(status);
  receivers.push(receiver);
  await app.agent(name, receiver.url, { capabilities: [capability] });
  return receiver;
}

/** Starts a workflow of one step; its session and task. */
async function start(step: object): Promise<{ session: string; task: string }> {
  const file = io.file("flow.json", JSON.stringify({ id: "flow", tasks: [{ taskId: "fetch", ...step }] }));
  // The chance of the test draws the same key each time.
  starts += 1;
  const started = await opspawn("run", file, "-o", "json", "--idempotency-key", `start-${starts}`);
  assert.equal(started.exitCode, 0, started.stderr);
  const session = (JSON.parse(started.stdout) as { sessionId: string }).sessionId;
  const tasks = await opspawn("tasks", "list", "--session", session, "-o", "json");
  const [task] = (JSON.parse(tasks.stdout) as { items: { taskId: string }[] }).items;
  return { session, task: task?.taskId ?? "" };
}

/** What `why` says, in one line; each of its own lines fits the terminal. */
async function why(id: string): Promise<string> {
  const { exitCode, stdout, stderr } = await opspawn("why", id);
  assert.equal(exitCode, 0, stderr);
  for (const line of `${stdout}\n${stderr}`.split("\n")) assert.ok(line.length <= 80, line);
  assert.doesNotMatch(stdout, /\.\.(\s|$)/);
  return `${stdout}${stderr}`.replaceAll(/\s+/g, " ");
}

const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`;

test("two agents, one busy: work for it waits, and why says who holds what, since when", async () => {
  const reader = await agent("reader", "read", 202);
  await agent("writer", "write", 202);
  const first = await start({ agentCapability: "read" });
  await app.until(() => reader.received.length === 1);
  app.app.time.advance(5_000);
  const second = await start({ agentCapability: "read" });
  const told = await why(second.session);
  assert.match(
    told,
    new RegExp(
      `^Step \`fetch\` \\(task ${second.task}\\): Wants capability \`read\`: \`reader\` is busy with ${first.task} ` +
        `since ${TIME}\\. \\(agent_busy, since ${TIME}\\) More agents, or more slots.*opspawn agents list`,
    ),
  );
  assert.doesNotMatch(told, /writer/, "an agent that could not do it is no news");
  assert.match(await why(first.session), /`reader` has it, attempt 1, until .*at the latest\. \(agent_working, since/);
  const listed = await opspawn("sessions", "list", "--blocked", "agent_busy");
  assert.match(listed.stdout, new RegExp(second.session));
  assert.doesNotMatch(listed.stdout, new RegExp(first.session));
});

test("no agent with the capability: why names it, and the nearest there is", async () => {
  await agent("reader", "web.fetch", 202);
  const { session, task } = await start({ agentCapability: "web.fecth" });
  assert.match(
    await why(session),
    new RegExp(
      `^Step \`fetch\` \\(task ${task}\\): No registered agent has the capability \`web.fecth\`\\. ` +
        `The nearest: \`web.fetch\`\\. \\(no_capable_agent, since ${TIME}\\) Register an agent.*opspawn agents register`,
    ),
  );
});

test("an agent that answers 500: why shows the backoff, then the fallback, then the dead letter with its reason", async () => {
  const failing = await agent("failing", "flaky", 500);
  const spare = await agent("spare", "spare", 500);
  const retry = { maxAttempts: 2, initialDelay: "8s", jitter: "none" };
  const { session, task } = await start({ agentCapability: "flaky", retry, fallback: { agentName: "spare" } });
  await app.until(() => failing.received.length === 1, 100);
  await app.until(async () => /backoff/.test(await why(session)), 100);
  const begins = `Step \`fetch\` \\(task ${task}\\): `;
  assert.match(
    await why(session),
    new RegExp(
      `^- ${begins}1 of 2 attempts used; the next begins at ${TIME}\\. The last attempt: http_500: The agent answered ` +
        `500\\. \\(backoff, since ${TIME}\\) - ${begins}Attempt 1 was with agent \`failing\`\\.`,
    ),
  );
  await app.until(() => spare.received.length === 1);
  assert.equal(failing.received.length, 2);
  await app.until(async () => /backoff/.test(await why(session)), 100);
  assert.match(await why(session), /3 of 4 attempts used.*Attempt 3 was with agent `spare`/);
  await app.until(async () => /The session failed/.test(await why(session)));
  assert.match(
    await why(session),
    new RegExp(
      `^- The session failed at ${TIME}: http_500, The agent answered 500\\. - ${begins}It failed at ${TIME}: ` +
        `http_500, The agent answered 500\\. - ${begins}Attempt 4 with agent \`spare\` ended failed: http_500, ` +
        `The agent answered 500 \\(4 of 4 attempts are used up, with the fallback\\)\\. - ${begins}It is a dead ` +
        `letter: its 4 attempts are used up, those of the fallback included\\. opspawn tasks get TASK shows each`,
    ),
  );
  const letters = await opspawn("tasks", "dead-letters");
  assert.match(letters.stdout, new RegExp(`${task}.*4/4.*http_500`));
  assert.match(letters.stderr, /opspawn tasks get TASK/);
  const watched = await opspawn("sessions", "watch", session);
  assert.match(watched.stdout, /falls back to `spare`/);
  assert.match(watched.stdout, /failed for good, a dead letter: The agent answered 500\./);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { reply, TestPlatform } from "./index.ts";

const THREE_STEPS = `
id: review
name: Review
tasks:
  - taskId: read
    name: Read
    agentCapability: text.read
    parameters: { url: "\${{ input.url }}" }
  - taskId: score
    name: Score
    agentCapability: text.score
    parameters: { text: "\${{ steps.read.result.text }}" }
    retry: { maxAttempts: 3, initialDelay: 1m, jitter: none }
  - taskId: file
    name: File
    agentCapability: text.read
    parameters: { score: "\${{ steps.score.result }}" }
`;

const INPUT = { url: "https://example.org" };

/** A workflow of these steps, one after the other. */
function workflow(...tasks: JsonObject[]): JsonObject {
  return { id: "w", name: "W", tasks: tasks.map((task) => ({ name: "Step", ...task })) };
}

test("a workflow of three steps runs to its end in virtual time", async () => {
  await using platform = await TestPlatform.start();
  const reader = platform.agent("reader", {
    capabilities: ["text.read"],
    takes: "3s",
    handle: ({ stepId }) => (stepId === "read" ? { text: "hello" } : "filed"),
  });
  platform.agent("scorer", { capabilities: ["text.score"], handle: [reply.failure("not today"), 7], takes: "10s" });
  const session = await platform.run(THREE_STEPS, INPUT);
  assert.equal(session.status, "running");
  assert.equal(reader.open, 1);
  await platform.advance("2s");
  assert.equal(session.step("read").status, "running");
  await platform.advance("2s");
  assert.equal(session.step("read").status, "completed");
  await platform.advance("10m");
  assert.equal(session.status, "completed");
  assert.equal(session.result, "filed");
  assert.deepEqual(
    reader.tasks.map(({ parameters }) => parameters),
    [INPUT, { score: 7 }],
  );
  assert.equal(platform.now.toISOString(), "2026-01-01T00:10:04.000Z");
});

/** A story with chance in it: latencies, jitter, failures. */
async function story(seed: number): Promise<string[]> {
  await using platform = await TestPlatform.start({ seed });
  const takes = { p50: "2s", p95: "9s" };
  platform.agent("reader", { capabilities: ["text.read"], handle: () => ({ text: "x" }), takes });
  platform.agent("scorer", {
    capabilities: ["text.score"],
    takes: { from: "1s", to: "2s" },
    handle: ({ attempt }) => (attempt < 3 ? reply.status(503) : 1),
  });
  for (let i = 0; i < 5; i += 1) await platform.run(THREE_STEPS, INPUT);
  await platform.runToEnd();
  return platform.timeline();
}

test("the same seed tells the same story, and another one another", async () => {
  const [first, again, other] = [await story(7), await story(7), await story(8)];
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
});

test("an approval is waited for, decided, and told by whom", async () => {
  await using platform = await TestPlatform.start();
  platform.agent("poster", { capabilities: ["post"] });
  const approval = { taskId: "ok", approval: { message: "Publish?", timeout: "24h" } };
  const definition = workflow(approval, { taskId: "post", agentCapability: "post" });
  const [approved, rejected, expired] = [
    await platform.run(definition),
    await platform.run(definition),
    await platform.run(definition),
  ];
  await platform.advance("1h");
  assert.equal(approved.status, "waiting");
  await platform.approve(approved, "ok", { by: "ann" });
  await platform.reject(rejected);
  assert.equal(approved.status, "completed");
  assert.equal(rejected.status, "failed");
  assert.match((await platform.timeline(approved)).join("\n"), /approval\.approved.*ann/);
  await assert.rejects(platform.approve(expired, "okay"), /step `okay`.*those that wait: `ok`/);
  await platform.advance("23h");
  assert.equal(expired.status, "failed");
});

test("a signal and a timer move a session on", async () => {
  await using platform = await TestPlatform.start();
  const session = await platform.run(
    workflow({ taskId: "paid", wait: { signal: "paid", timeout: "7d" } }, { taskId: "cool", wait: { for: "3d" } }),
  );
  await platform.advance("5d");
  await platform.signal(session, "paid", { amount: 3 });
  assert.equal(session.step("paid").status, "completed");
  await platform.advance("71h");
  assert.equal(session.status, "waiting");
  await platform.advance("1h");
  assert.equal(session.status, "completed");
});

test("tools are called, and fail, as steps", async () => {
  await using platform = await TestPlatform.start();
  const post = platform.tool("slack.post", { handle: [reply.failure("rate limited"), { id: "m1" }], takes: "200ms" });
  const retry = { maxAttempts: 2, initialDelay: "1s", jitter: "none" };
  const session = await platform.run(
    workflow({ taskId: "post", tool: "slack.post", parameters: { text: "hi" }, retry }),
  );
  await platform.runToEnd();
  assert.deepEqual(session.result, { id: "m1" });
  assert.deepEqual(
    post.tasks.map(({ parameters, attempt, stepId }) => [parameters, attempt, stepId]),
    [
      [{ text: "hi" }, 1, "post"],
      [{ text: "hi" }, 2, "post"],
    ],
  );
});

const ONCE = { maxAttempts: 1 };
const TWICE = { maxAttempts: 2, initialDelay: "1s", jitter: "none" };

test("every way to fail has its word in the session", async () => {
  await using platform = await TestPlatform.start();
  const ways = {
    throws: () => {
      throw new Error("no such page");
    },
    refuses: reply.failure("wrong", { code: "bad_input", retryable: false }),
    breaks: reply.status(500),
    limits: reply.status(429, { retryAfter: 5 }),
    silent: reply.silence(),
  };
  for (const [name, way] of Object.entries(ways)) {
    platform.agent(name, { capabilities: [name], handle: typeof way === "function" ? way : () => way });
  }
  const ended = async (agentCapability: string) => {
    const session = await platform.run(workflow({ taskId: "a", agentCapability, retry: ONCE, timeout: "5m" }));
    await platform.runToEnd();
    return session.error?.code;
  };
  assert.equal(await ended("throws"), "agent_error");
  assert.equal(await ended("refuses"), "bad_input");
  assert.equal(await ended("breaks"), "http_500");
  assert.equal(await ended("limits"), "http_429");
  assert.equal(await ended("silent"), "timeout");
});

test("an answer that is lost is asked for again, and the work is done once", async () => {
  await using platform = await TestPlatform.start();
  const agent = platform.agent("a", { capabilities: ["a"], handle: [reply.lost(1), 2] });
  const session = await platform.run(workflow({ taskId: "a", agentCapability: "a", timeout: "1m", retry: TWICE }));
  await platform.runToEnd();
  assert.equal(session.result, 1);
  assert.equal(agent.tasks.length, 1);
});

test("an agent that dies is asked again when it is back", async () => {
  await using platform = await TestPlatform.start();
  const handle = [reply.death({ after: "5s", back: "30s" }), "done"];
  const agent = platform.agent("a", { capabilities: ["a"], handle });
  const session = await platform.run(workflow({ taskId: "a", agentCapability: "a", timeout: "2m" }));
  await platform.advance("6s");
  assert.equal(session.status, "running");
  await platform.runToEnd();
  assert.equal(session.result, "done");
  assert.equal(agent.tasks.length, 2);
});

test("a handler may take its time, and do several things one after the other", async () => {
  await using platform = await TestPlatform.start();
  platform.agent("a", {
    capabilities: ["a"],
    handle: async (task) => {
      await task.sleep("10s");
      await Promise.all([task.sleep("1m"), task.sleep("2m")]);
      return "slept";
    },
  });
  const session = await platform.run(workflow({ taskId: "a", agentCapability: "a", timeout: "1h" }));
  await platform.advance("129s");
  assert.equal(session.status, "running");
  await platform.advance("1s");
  assert.equal(session.result, "slept");
});

test("a server that dies goes on where it was", async () => {
  await using platform = await TestPlatform.start();
  const agent = platform.agent("a", { capabilities: ["a"], takes: "10s", handle: () => "done" });
  const steps = ["one", "two", "three"].map((taskId) => ({ taskId, agentCapability: "a" }));
  const session = await platform.run(workflow(...steps));
  await platform.advance("15s");
  await platform.crash({ downFor: "20s" });
  await platform.runToEnd();
  assert.equal(session.status, "completed");
  assert.equal(agent.tasks.length, 3);
  assert.equal((await platform.timeline()).filter((line) => line.includes("attempt.resent")).length, 1);
});

test("whoever is missing is named before anything runs", async () => {
  await using platform = await TestPlatform.start();
  platform.agent("reader", { capabilities: ["text.read"] });
  await assert.rejects(
    platform.run(THREE_STEPS, INPUT),
    /Nobody serves capability `text.score`, which step `score` asks for. Registered: reader \(text.read\)/,
  );
  await assert.rejects(platform.run(workflow({ taskId: "a", tool: "post" })), /calls the tool `post`/);
  const session = await platform.run(workflow({ taskId: "a", agentCapability: "b" }), null, { allowMissing: true });
  assert.equal(session.blocked?.reason, "no_capable_agent");
});

test("a session that would wait for ever says for what", async () => {
  await using platform = await TestPlatform.start();
  const session = await platform.run(workflow({ taskId: "ok", approval: { message: "Publish?" } }));
  await assert.rejects(platform.runToEnd(), (error: Error) => {
    assert.match(error.message, /nothing will happen by itself/);
    assert.match(error.message, /`ok`/);
    return true;
  });
  await platform.approve(session);
  await platform.runToEnd();
});

test("a script that has ended says so", async () => {
  await using platform = await TestPlatform.start();
  platform.agent("a", { capabilities: ["a"], handle: [1] });
  const twice = workflow({ taskId: "x", agentCapability: "a" }, { taskId: "y", agentCapability: "a" });
  await assert.rejects(
    platform.run(twice),
    /`a` was asked a 2nd time \(step `y`, attempt 1\); its script has 1 answers/,
  );
});

test("time that is no time is refused by name", async () => {
  await assert.rejects(TestPlatform.start({ now: "today" }), /now: must be a time/);
  await using platform = await TestPlatform.start();
  await assert.rejects(platform.advance("10"), /advance: must be a whole number and a unit/);
  assert.throws(() => platform.agent("a", { takes: { p50: "3s", p95: "1s" } }), /p95: must not be shorter/);
});

test("nothing stays open when it is closed, whatever was under way", async () => {
  const open = (): string[] =>
    process
      .getActiveResourcesInfo()
      .filter((name) => name !== "Immediate")
      .sort();
  const before = open();
  const platform = await TestPlatform.start();
  platform.agent("a", { capabilities: ["a"], takes: "1h" });
  await platform.run(workflow({ taskId: "a", agentCapability: "a", timeout: "2h" }));
  await platform.close();
  assert.deepEqual(open(), before);
  await assert.rejects(platform.advance("1s"), /closed/);
});

test("a month of waiting passes in no time", async () => {
  await using platform = await TestPlatform.start();
  const began = performance.now();
  const session = await platform.run(workflow({ taskId: "a", wait: { for: "30d" } }));
  await platform.runToEnd({ within: "31d" });
  assert.equal(session.status, "completed");
  assert.ok(performance.now() - began < 2_000);
});

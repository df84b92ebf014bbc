// Tests of a workflow of yours: no server, no network, no waiting. Copy, and put your own workflow in.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { reply, TestPlatform } from "@opspawn/testing";

const workflow = readFileSync(new URL("../simulate/review.yaml", import.meta.url), "utf8");
const input = { url: "https://example.org/article" };

test("an article is read, scored and summarised", async () => {
  await using platform = await TestPlatform.start();
  const reader = platform.agent("reader", {
    capabilities: ["text.read"],
    takes: "3s",
    handle: () => ({ text: "An article." }),
  });
  platform.agent("scorer", { capabilities: ["text.score"], takes: "1s", handle: () => ({ score: 7 }) });
  platform.agent("writer", {
    capabilities: ["text.summarise"],
    takes: "20s",
    handle: ({ parameters }) => `Summary of ${JSON.stringify(parameters)}`,
  });
  const session = await platform.run(workflow, input);
  await platform.advance("5s");
  assert.equal(session.step("summarise").status, "running");
  await platform.runToEnd();
  assert.equal(session.result, 'Summary of {"text":"An article.","score":7}');
  assert.deepEqual(reader.tasks[0]?.parameters, input);
});

test("a page that cannot be read at first is read again, with growing pauses", async () => {
  await using platform = await TestPlatform.start();
  const reader = platform.agent("reader", {
    capabilities: ["text.read"],
    handle: [reply.status(503), reply.failure("the page is empty"), { text: "An article." }],
  });
  platform.agent("scorer", { capabilities: ["text.score", "text.summarise"], handle: () => ({ score: 7 }) });
  const session = await platform.run(workflow, input);
  await platform.runToEnd();
  assert.equal(session.status, "completed");
  assert.equal(reader.tasks.length, 3);
});

test("a writer that never answers fails the session after its attempts, and nothing hangs", async () => {
  await using platform = await TestPlatform.start();
  platform.agent("reader", {
    capabilities: ["text.read", "text.score"],
    handle: ({ stepId }) => (stepId === "read" ? { text: "An article." } : { score: 7 }),
  });
  platform.agent("writer", { capabilities: ["text.summarise"], handle: () => reply.silence() });
  const session = await platform.run(workflow, input);
  await platform.runToEnd();
  assert.equal(session.status, "failed");
  assert.equal(session.error?.code, "timeout");
});

test("a crash of the server in the middle changes nothing but the time it takes", async () => {
  await using platform = await TestPlatform.start();
  const agent = platform.agent("all", {
    capabilities: ["text.read", "text.score", "text.summarise"],
    takes: { p50: "10s", p95: "30s" },
    handle: ({ stepId }) => (stepId === "read" ? { text: "An article." } : { score: 7 }),
  });
  const session = await platform.run(workflow, input);
  await platform.advance("7s");
  await platform.crash({ downFor: "2s" });
  await platform.runToEnd();
  assert.equal(session.status, "completed");
  assert.equal(agent.tasks.length, 3);
});

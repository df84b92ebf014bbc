// The examples are simulated, and keep what their comments say.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { simulate } from "@opspawn/testing/simulate";

const text = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

test("reviewed articles wait for the writers", async () => {
  const report = await simulate({ workflow: text("review.yaml"), agents: text("agents.yaml"), sessions: 400 });
  assert.equal(report.counts.completed, 400);
  assert.equal(report.bottleneck?.name, "text.summarise");
});

test("orders are shipped, or fail as they were described to, and none is stuck", async () => {
  const report = await simulate({ workflow: text("order.yaml"), agents: text("order-agents.yaml"), sessions: 100 });
  const { completed, failed } = report.counts;
  assert.equal(completed + failed, 100);
  assert.ok(completed > 80 && failed > 0);
  assert.ok(report.isGood);
  const reasons = report.badEnds.map(({ step, code }) => `${step} ${code}`).sort();
  assert.ok(reasons.includes("large rejected"), reasons.join());
});

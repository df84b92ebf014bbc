import assert from "node:assert/strict";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { MINUTE, SECOND } from "../../domain/clock.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { step, workflow } from "./test-definitions.ts";
import { bareAgent } from "./test-reports.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { succeeded, type World } from "./test-world.ts";

const SCORE: JsonObject = { type: "object", required: ["score"], properties: { score: { type: "integer" } } };
const REFUSED = "The result does not fit the step's output schema: result.score: must be integer";
const BAD: JsonValue = { score: "high" };
const GOOD: JsonValue = { score: 7 };
const AT_ONCE = { initialDelay: "0s", maxDelay: "0s" };

/** A session of one step whose result must have a score. */
function scored(rest: JsonObject = {}): JsonObject {
  return workflow([step("a", { output: { schema: SCORE }, retry: AT_ONCE, ...rest })]);
}

/** Schemas of steps and workflows, where the values they judge come about. */
export const schemasSuite: Suite = (on) => {
  results(on);
  everyWay(on);
  parametersAndOutput(on);
};

function results(on: Declare): void {
  on("a result that its step's schema refuses is a failed attempt with the paths, and is tried again", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(scored());
    const first = w.take();
    assert.deepEqual(await w.complete(first, BAD), { type: "accepted", taskStatus: "pending" });
    const attempt = await w.attempt(first.taskId, 1);
    assert.deepEqual([attempt.status, attempt.evidence], ["failed", "result"]);
    assert.deepEqual(attempt.error, { code: "output_invalid", message: REFUSED });
    assert.equal((await w.getTask(first.taskId)).result, null);
    assert.equal(await w.slots(agentId), "0/0", "the agent has answered, so it is free");
    await w.dispatch();
    assert.deepEqual(await w.complete(w.take(), GOOD), { type: "accepted", taskStatus: "completed" });
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.result], ["completed", '{"score":7}']);
    assert.deepEqual(
      (await w.types(session.id)).filter((type) => type.startsWith("attempt.") || type === "task.retrying"),
      ["attempt.created", "attempt.failed", "task.retrying", "attempt.created", "attempt.succeeded"],
    );
  });

  on("when attempts run out, the step has failed with what the last result lacked", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(scored({ retry: { maxAttempts: 2, ...AT_ONCE } }));
    await w.complete(w.take(), BAD);
    await w.dispatch();
    await w.complete(w.take(), null);
    const ended = await w.getSession(session.id);
    const message = "The result does not fit the step's output schema: result: must be object";
    assert.deepEqual([ended.status, ended.failedSteps], ["failed", ["a"]]);
    assert.deepEqual(ended.error, { code: "output_invalid", message });
    const [task] = (await w.store.tasks.list({ limit: 1 }, { session: session.id })).items;
    assert.deepEqual([task?.used, task?.deadLetter], [2, true]);
  });

  on("a policy without agent_error does not try it again; the fallback's results are judged alike", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await w.agent("cheap", { capabilities: ["work.cheap"] });
    const retry = { maxAttempts: 2, on: ["timeout"], ...AT_ONCE };
    const session = await w.start(scored({ retry, fallback: { agentCapability: "work.cheap" } }));
    await w.complete(w.take(), BAD);
    await w.dispatch();
    const fallback = w.take();
    assert.equal(fallback.agentName, "cheap");
    await w.complete(fallback, BAD);
    assert.equal((await w.getSession(session.id)).error?.message, REFUSED);
  });

  on("a bad result repeated under its token is the same result; a good one after it comes too late", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const session = await w.start(scored());
    const first = w.take();
    await w.complete(first, BAD);
    assert.deepEqual(await w.complete(first, BAD), { type: "repeated", taskStatus: "pending" });
    assert.deepEqual(await w.complete(first, GOOD), { type: "stale", taskStatus: "pending" });
    assert.equal((await w.types(session.id)).at(-1), "attempt.late_result");
    await w.dispatch();
    await w.complete(w.take(), GOOD);
    assert.equal((await w.getTask(first.taskId)).status, "completed");
    assert.deepEqual(await w.complete(first, BAD), { type: "repeated", taskStatus: "completed" });
  });

  on("bad results do not open the circuit of an endpoint that answers", async (w) => {
    const agentId = await w.agent("worker", { capabilities: ["work"] });
    await w.start(scored({ retry: { maxAttempts: 20, ...AT_ONCE } }));
    for (let tries = 0; tries < 5; tries += 1) {
      await w.observe(w.take(), succeeded(BAD, "answer"));
      await w.dispatch();
    }
    assert.equal((await w.store.agents.blocked(agentId))?.reason, "agent_quarantined", "the agent is to blame");
    await w.wait(30 * SECOND);
    assert.equal(w.take().attempt, 6, "no circuit is in the way");
    assert.equal((await w.store.agents.get(agentId))?.evidence, "explicit");
  });
}

/** Each tells of one finished attempt. */
const WAYS: Readonly<
  Record<string, (w: World, agentId: string, attempt: ClaimedAttempt, result: JsonValue) => unknown>
> = {
  result: (w, _agentId, attempt, result) => w.complete(attempt, result),
  answer: (w, _agentId, attempt, result) => w.observe(attempt, succeeded(result, "answer")),
  named: async (w, agentId, attempt, result) => {
    await w.acknowledge(attempt);
    w.clock.advance(1);
    await w.report(agentId, "idle", { taskId: attempt.taskId, details: { result } });
  },
  inferred: async (w, agentId, attempt, result) => {
    await w.acknowledge(attempt);
    for (const state of ["active", "idle"]) {
      w.clock.advance(SECOND / 10);
      await w.report(agentId, state, { details: { result } });
    }
  },
};

function everyWay(on: Declare): void {
  for (const [evidence, tell] of Object.entries(WAYS)) {
    on(`an outcome is judged by its step's schema whichever way it is told: ${evidence}`, async (w) => {
      const agentId =
        evidence === "inferred"
          ? await bareAgent(w)
          : await w.agent("worker", { capabilities: ["work"], timeout: 10 * MINUTE });
      const session = await w.start(scored());
      const bad = w.take();
      await tell(w, agentId, bad, BAD);
      const attempt = await w.attempt(bad.taskId, 1);
      assert.deepEqual([attempt.status, attempt.evidence, attempt.error?.message], ["failed", evidence, REFUSED]);
      assert.equal((await w.getSession(session.id)).status, "running");
      await w.dispatch();
      await tell(w, agentId, w.take(), GOOD);
      assert.deepEqual(
        [(await w.getSession(session.id)).result, (await w.attempt(bad.taskId, 2)).evidence],
        ['{"score":7}', evidence],
      );
    });
  }

  on("a report without a result has the result null, and the schema says what that is worth", async (w) => {
    const agentId = await bareAgent(w);
    const { id } = await w.start(workflow([step("a", { output: { schema: { type: ["object", "null"] } } })]));
    await w.acknowledge(w.take());
    for (const state of ["active", "idle"]) {
      w.clock.advance(SECOND / 10);
      await w.report(agentId, state);
    }
    assert.deepEqual([(await w.getSession(id)).status, (await w.getSession(id)).result], ["completed", "null"]);
  });

  on("who judges a result does not depend on the process: it is the same after a crash", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    await w.start(scored());
    const first = w.take();
    await w.crash();
    assert.equal((await w.complete(first, BAD)).taskStatus, "pending");
    assert.equal((await w.attempt(first.taskId, 1)).error?.message, REFUSED);
  });
}

const NEEDS_URL: JsonObject = { type: "object", required: ["url"], properties: { url: { pattern: "^https:" } } };

function parametersAndOutput(on: Declare): void {
  on("parameters that their step's schema refuses fail the step before there is a task, for good", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const b = step("b", { parameters: { url: "${{ steps.a.result }}" }, input: { schema: NEEDS_URL } });
    const session = await w.start(workflow([step("a"), b, step("c")]));
    await w.complete(w.take(), "ftp:x");
    const ended = await w.getSession(session.id);
    const message = "The parameters do not fit the step's input schema: parameters.url: must match the pattern ^https:";
    assert.deepEqual([ended.status, ended.failedSteps], ["failed", ["b"]]);
    assert.deepEqual(ended.error, { code: "input_invalid", message, retryable: false });
    const [, failed] = await w.store.sessions.steps(session.id);
    assert.deepEqual([failed?.status, failed?.taskId, failed?.attempts], ["failed", null, 0]);
    assert.equal(w.sent.length, 0);
  });

  on("with onFailure: continue, those behind a step whose parameters were refused see null", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const a = step("a", { input: { schema: NEEDS_URL }, onFailure: "continue" });
    const session = await w.start(workflow([a, step("b")]));
    const attempt = w.take();
    assert.equal(attempt.parameters, '{"previous":null}');
    await w.complete(attempt, 1);
    const ended = await w.getSession(session.id);
    assert.deepEqual([ended.status, ended.failedSteps], ["completed", ["a"]]);
  });

  on("schemas of steps do not change what the steps of an original definition receive", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const b = step("b", { input: { schema: { required: ["previous"] } } });
    const session = await w.start(workflow([step("a", { input: { schema: NEEDS_URL } }), b]), {
      data: { url: "https://example.com" },
    });
    const first = w.take();
    assert.equal(first.parameters, '{"url":"https://example.com"}');
    await w.complete(first, 1);
    assert.equal(w.take().parameters, '{"previous":1}');
    await w.store.sessions.cancel(session.id, "enough");
  });

  on("an output that the workflow's schema refuses fails the session", async (w) => {
    await w.agent("worker", { capabilities: ["work"] });
    const outputSchema: JsonObject = { properties: { total: { minimum: 10 } } };
    const definition = workflow([step("a")], { output: { total: "${{ steps.a.result }}" }, outputSchema });
    const session = await w.start(definition);
    await w.complete(w.take(), 9);
    const ended = await w.getSession(session.id);
    const message = "The output does not fit the workflow's output schema: output.total: must be at least 10";
    assert.deepEqual([ended.status, ended.result], ["failed", null]);
    assert.deepEqual(ended.error, { code: "output_invalid", message, retryable: false });
    const other = await w.start(definition);
    await w.complete(w.take(), 10);
    assert.equal((await w.getSession(other.id)).result, '{"total":10}');
  });
}

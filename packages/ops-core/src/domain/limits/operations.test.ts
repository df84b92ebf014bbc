import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../../app/test-app.ts";

const LIMITS = "/v1/opscore/limits";
const TASKS = "/v1/opscore/tasks";

let app: TestApp;
let worker: { id: string; key: string };
beforeEach(async () => {
  app = new TestApp();
  worker = await app.pullAgent("worker", ["work"]);
  await app.start();
});
afterEach(() => app.close());

async function start(limits: JsonObject, input: JsonObject = { tenant: "seven" }): Promise<string> {
  const tasks = [{ taskId: "a", agentCapability: "work" }];
  const workflow = { id: `limited-${JSON.stringify(limits).length}`, version: "1", tasks, ...limits };
  return (await app.ok("POST", "/v1/opscore/sessions", { body: { workflow, input } })).sessionId as string;
}

async function taskOf(sessionId: string): Promise<JsonObject> {
  const { items } = await app.ok("GET", `${TASKS}?session=${sessionId}`);
  return (items as JsonObject[])[0] ?? {};
}

test("the keys in use are listed with what they may, hold and keep waiting, and `why` names who holds them", async () => {
  const concurrency = { key: "${{ input.tenant }}", limit: 1 };
  const running = await taskOf(await start({ concurrency }));
  const session = await start({ concurrency });
  await start({ concurrency }, { tenant: 8 });
  assert.equal((await app.claim(worker, 1)).length, 1);
  await settled();
  const { items } = await app.ok("GET", `${LIMITS}?key=seven`);
  const key = { kind: "concurrency", key: "seven", limit: 1, per: null, draining: 0, nextPermitAt: null };
  assert.deepEqual(items, [{ ...key, held: 1, waiting: 1 }]);
  assert.equal(((await app.ok("GET", LIMITS)).items as JsonObject[]).length, 2);
  const { taskId, limits } = await taskOf(session);
  assert.deepEqual(limits, { concurrency: { key: "seven", limit: 1 }, rateLimit: null });
  const { blocked, explanation } = await app.ok("GET", `${TASKS}/${taskId}/why`);
  assert.equal((blocked as JsonObject).reason, "concurrency_limit");
  assert.match(
    String(explanation),
    new RegExp(`^Key \`seven\`: 1 of 1 run since 20.*Z: ${running.taskId}\\. \\(concurrency_limit,`),
  );
  const why = await app.ok("GET", `/v1/opscore/sessions/${session}/why`);
  assert.match(String(why.explanation), /Step `a` \(task task_.*\): Key `seven`: 1 of 1 run/);
});

test("a rate is listed with its time, and says when the next task may begin", async () => {
  const rateLimit = { key: "api", limit: 1, per: "90s" };
  await start({ rateLimit });
  const session = await start({ rateLimit });
  assert.equal((await app.claim(worker, 1)).length, 1);
  await settled();
  const [item] = (await app.ok("GET", LIMITS)).items as JsonObject[];
  assert.partialDeepStrictEqual(item, { kind: "rateLimit", key: "api", limit: 1, per: "90s", held: 1, waiting: 1 });
  assert.match(String(item?.nextPermitAt), /^20.*Z$/);
  const { taskId, limits } = await taskOf(session);
  assert.deepEqual(limits, { concurrency: null, rateLimit });
  const { blocked } = await app.ok("GET", `${TASKS}/${taskId}/why`);
  assert.equal((blocked as JsonObject).reason, "rate_limit");
});

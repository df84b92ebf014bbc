// AgentKit and Ops-Core as two processes, each with a data folder of its own, and agents that register with AgentKit.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort } from "../../scripts/start/ports.ts";
import { startAgent, startServer, type TestProcess } from "./split/processes.ts";

const KEY = "the-key-of-both-halves";
const SECRET = "the-secret-of-both-halves";
const BEARER = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };

interface Task {
  readonly taskId: string;
  readonly status: string;
  readonly agentId: string;
  readonly result: unknown;
  readonly attemptList: readonly { readonly status: string; readonly evidence: string; readonly agentId: string }[];
}

interface Page<T> {
  readonly items: readonly T[];
}

describe("two processes", { concurrency: false }, () => {
  const started: TestProcess[] = [];
  let folder: string;
  let kitUrl: string;
  let opsUrl: string;
  let kit: TestProcess;
  let ops: TestProcess;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "split-"));
    kitUrl = `http://127.0.0.1:${await freePort([])}`;
    opsUrl = `http://127.0.0.1:${await freePort([])}`;
    [kit, ops] = await Promise.all([startKit(), startOps("ops", opsUrl)]);
  });

  after(async () => {
    await Promise.all(started.map((each) => each.kill()));
    await rm(folder, { recursive: true, maxRetries: 20, retryDelay: 500 });
  });

  async function server(args: readonly string[], env: Readonly<Record<string, string>>): Promise<TestProcess> {
    const shared = { OPSCORE_API_KEY: KEY, OPSCORE_WEBHOOK_SECRET: SECRET, LOG_LEVEL: "warn" };
    const made = startServer(args, folder, { ...shared, ...env });
    started.push(made);
    await made.told("listening");
    return made;
  }

  function startKit(): Promise<TestProcess> {
    const env = { OPSCORE_WEBHOOK_URL: `${opsUrl}/v1/opscore/internal/agent/notify` };
    return server(["--role", "agentkit", "--port", new URL(kitUrl).port, "--data", "kit"], env);
  }

  function startOps(data: string, url: string): Promise<TestProcess> {
    const args = ["--role", "api,engine,worker", "--port", new URL(url).port, "--data", data];
    return server(args, { AGENTKIT_API_URL: `${kitUrl}/v1` });
  }

  async function agent(args: readonly string[], script: "agent" | "plain-agent" = "agent") {
    const env = { AGENTKIT_API_URL: kitUrl, OPSCORE_API_URL: opsUrl, OPSCORE_API_KEY: KEY };
    const made = startAgent(script, args, folder, { ...env, OPSCORE_WEBHOOK_SECRET: SECRET });
    started.push(made);
    return { process: made, id: String(await made.told("ready")) };
  }

  async function call<T>(url: string, method = "GET", body?: object): Promise<T> {
    const given = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(url, { method, headers: BEARER, ...given });
    assert.ok(response.ok, `${method} ${url}: ${response.status} ${await response.clone().text()}`);
    return (await response.json()) as T;
  }

  async function start(tasks: readonly object[]): Promise<string> {
    const workflow = { id: crypto.randomUUID(), version: "1", name: "split", tasks };
    const { sessionId } = await call<{ sessionId: string }>(`${opsUrl}/v1/opscore/sessions`, "POST", { workflow });
    return sessionId;
  }

  async function completed(sessionId: string): Promise<readonly Task[]> {
    const session = await call<{ status: string }>(`${opsUrl}/v1/opscore/sessions/${sessionId}?wait=60s`);
    assert.equal(session.status, "completed", JSON.stringify(session));
    const { items } = await call<Page<Task>>(`${opsUrl}/v1/opscore/tasks?session=${sessionId}`);
    return Promise.all(items.toReversed().map(({ taskId }) => call<Task>(`${opsUrl}/v1/opscore/tasks/${taskId}`)));
  }

  test("a workflow runs through agents that registered with AgentKit: one answers, one posts its result", {
    timeout: 60_000,
  }, async () => {
    const answering = await agent(["answering", "answer"]);
    const posting = await agent(["posting", "post", "1ms"]);
    const sessionId = await start([
      { taskId: "first", name: "First", agentCapability: "answer", parameters: { n: 1 } },
      {
        taskId: "second",
        name: "Second",
        agentCapability: "post",
        parameters: { ms: 200, of: "${{ steps.first.result.by }}" },
      },
    ]);
    const [first, second] = await completed(sessionId);
    assert.deepEqual(first?.result, { by: "answering", attempt: 1, given: { n: 1 } });
    assert.deepEqual(second?.result, { by: "posting", attempt: 1, given: { ms: 200, of: "answering" } });
    assert.deepEqual([first?.agentId, second?.agentId], [answering.id, posting.id]);
    assert.deepEqual([first?.attemptList[0]?.evidence, second?.attemptList[0]?.evidence], ["answer", "result"]);
    const sent = await call<Page<{ kind: string; status: string }>>(
      `${kitUrl}/v1/opscore/deliveries?agent=${answering.id}`,
    );
    assert.deepEqual(
      sent.items.map(({ kind, status }) => [kind, status]),
      [
        ["result", "delivered"],
        ["task", "delivered"],
        ["notification", "delivered"],
      ],
    );
  });

  test("AgentKit is killed while its agent thinks: started again, it sends the task once more, and the answer counts", {
    timeout: 90_000,
  }, async () => {
    const slow = await agent(["slow", "slow", "10000"], "plain-agent");
    const sessionId = await start([{ taskId: "only", name: "Only", agentCapability: "slow" }]);
    await slow.process.told("began");
    await kit.kill();
    kit = await startKit();
    const [task] = await completed(sessionId);
    assert.deepEqual(
      task?.attemptList.map(({ status, evidence }) => [status, evidence]),
      [["succeeded", "answer"]],
    );
    assert.deepEqual(task?.result, { times: 2 });
  });

  test("Ops-Core is killed while an agent thinks: the answer waits at AgentKit until it is back", {
    timeout: 90_000,
  }, async () => {
    const patient = await agent(["patient", "patience"]);
    const sessionId = await start([
      { taskId: "only", name: "Only", agentCapability: "patience", parameters: { ms: 1_000 } },
    ]);
    await patient.process.told("began");
    await ops.kill();
    await patient.process.told("ended");
    ops = await startOps("ops", opsUrl);
    const [task] = await completed(sessionId);
    assert.deepEqual(
      task?.attemptList.map(({ status, evidence }) => [status, evidence]),
      [["succeeded", "answer"]],
    );
  });

  test("AgentKit is away when work comes: it waits, and is done once AgentKit is back", {
    timeout: 120_000,
  }, async () => {
    await agent(["reached", "reach"]);
    await kit.kill();
    const sessionId = await start([{ taskId: "only", name: "Only", agentCapability: "reach" }]);
    const { items } = await call<Page<Task>>(`${opsUrl}/v1/opscore/tasks?session=${sessionId}`);
    const tries = async () => (await call<Task>(`${opsUrl}/v1/opscore/tasks/${items[0]?.taskId}`)).attemptList.length;
    // Bounded by the test's own time limit.
    while ((await tries()) < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    kit = await startKit();
    const [task] = await completed(sessionId);
    assert.equal(task?.attemptList.at(-1)?.status, "succeeded");
  });

  test("an agent that is deregistered at AgentKit loses its task to another one", { timeout: 60_000 }, async () => {
    const leaving = await agent(["leaving", "move", "30s", "60000"]);
    const sessionId = await start([{ taskId: "only", name: "Only", agentCapability: "move" }]);
    await leaving.process.told("began");
    const staying = await agent(["staying", "move"]);
    await call(`${kitUrl}/v1/agents/${leaving.id}`, "DELETE");
    const [task] = await completed(sessionId);
    assert.deepEqual(
      task?.attemptList.map(({ agentId, status }) => [agentId, status]),
      [
        [leaving.id, "lost"],
        [staying.id, "succeeded"],
      ],
    );
    assert.equal(task?.agentId, staying.id);
  });

  test("an Ops-Core that missed every notification finds the agents in AgentKit's list", {
    timeout: 60_000,
  }, async () => {
    const { data: listed } = await call<{ data: { agentId: string }[] }>(`${kitUrl}/v1/agents`);
    assert.ok(listed.length > 0);
    const url = `http://127.0.0.1:${await freePort([])}`;
    const late = await startOps("late", url);
    const known = async () =>
      (await call<Page<{ agentId: string }>>(`${url}/v1/opscore/agents?limit=200`)).items.map(({ agentId }) => agentId);
    // Bounded by the test's own time limit.
    while ((await known()).length < listed.length) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual((await known()).toSorted(), listed.map(({ agentId }) => agentId).toSorted());
    await late.kill("SIGTERM");
  });
});

// Unmodified agents of the originals, each through a workflow to its end: they differ in how they tell that they are done.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { original } from "./original.ts";
import { MockAgentKit, OpsCoreAwareAgent, ResponderAgent, SimulatedAgent } from "./originals/agents.ts";

const app = original();
const agents: { close(): Promise<void> }[] = [];
after(async () => {
  for (const agent of agents) await agent.close();
});

/** Starts an agent that may wait while it starts. */
async function started<T extends { start(): Promise<void>; close(): Promise<void> }>(agent: T): Promise<T> {
  agents.push(agent);
  let done = false;
  const starting = agent.start().finally(() => {
    done = true;
  });
  await app.until(() => done);
  await starting;
  return agent;
}

async function trigger(agentId: string, workflow: object): Promise<string> {
  const answer = await app.post(`/v1/opscore/agent/${agentId}/workflow`, { workflowDefinition: workflow });
  assert.equal(answer.status, 202, answer.text);
  return (answer.json as { sessionId: string }).sessionId;
}

async function session(id: string): Promise<JsonObject> {
  return (await app.get(`/v1/opscore/sessions/${id}`)).json as JsonObject;
}

async function ended(id: string, steps?: number): Promise<JsonObject> {
  await app.until(async () => ["completed", "failed"].includes(String((await session(id)).status)), 250, steps);
  return session(id);
}

async function tasks(id: string): Promise<JsonObject[]> {
  const { items } = (await app.get(`/v1/opscore/tasks?session=${id}`)).json as { items: JsonObject[] };
  const found = [];
  for (const { taskId } of items.toReversed()) {
    found.push((await app.get(`/v1/opscore/tasks/${taskId}`)).json as JsonObject);
  }
  return found;
}

const attempts = (task: JsonObject | undefined) => (task?.attemptList ?? []) as JsonObject[];

function chain(id: string, ...names: string[]) {
  return { id, name: id, tasks: names.map((name) => ({ taskId: name, name, parameters: { task_name: name } })) };
}

describe("the simulated agent", () => {
  it("answers `success`, and its `idle` that names the task completes it", async () => {
    const agent = await started(new SimulatedAgent(app));
    const id = await trigger(agent.id, chain("simulated", "first", "second", "third"));
    const { status } = await ended(id);
    assert.equal(status, "completed");
    const done = await tasks(id);
    assert.deepEqual(
      done.map((task) => attempts(task).map(({ evidence, sends }) => [evidence, sends])),
      [[["named", 1]], [["named", 1]], [["named", 1]]],
    );
    const bodies = agent.receiver.received.map(({ body }) => JSON.parse(body) as JsonObject);
    assert.equal(bodies.length, 3);
    for (const [i, body] of bodies.entries()) {
      assert.equal(body.opscore_task_id, done[i]?.taskId);
      assert.equal(body.opscore_session_id, id);
      assert.deepEqual(body.sessionContext, { sessionId: id, priorMessages: [] });
      assert.deepEqual([body.senderId, body.messageType], ["opscore_system_id", "workflow_task"]);
    }
  });
});

describe("the agent that knows of Ops-Core", () => {
  it("answers `completed`, and the states it reports afterwards disturb no later step", async () => {
    const agent = await started(new OpsCoreAwareAgent(app));
    const id = await trigger(agent.id, chain("aware", "first", "second", "third"));
    const { status, result } = await ended(id);
    assert.deepEqual([status, result], ["completed", "Processed task 'third' successfully."]);
    const done = await tasks(id);
    assert.deepEqual(
      done.map((task) => [task.result, attempts(task).map(({ evidence }) => evidence)]),
      ["first", "second", "third"].map((name) => [`Processed task '${name}' successfully.`, ["answer"]]),
    );
    assert.equal(agent.receiver.received.length, 3);
  });

  it("ignores a message of another kind, which the gateway delivers all the same", async () => {
    const agent = await started(new OpsCoreAwareAgent(app)).catch(() => null);
    assert.equal(agent?.id, "", "its name is taken: it has to come back under its key");
  });
});

describe("the mock of AgentKit", () => {
  it("tells of agents unsigned before it answers, and its BUSY and IDLE complete a task without naming it", async () => {
    const mock = await started(new MockAgentKit(app));
    const added = await mock.add("chosen-by-the-caller", "Mocked");
    assert.equal(added.status, 200);
    const state = await app.get("/v1/opscore/agent/chosen-by-the-caller/state");
    assert.equal((state.json as JsonObject).state, "UNKNOWN");
    const id = await trigger("chosen-by-the-caller", chain("mocked", "first", "second"));
    const { status } = await ended(id);
    assert.equal(status, "completed");
    const done = await tasks(id);
    assert.deepEqual(
      done.map((task) => attempts(task).map(({ evidence, sends }) => [evidence, sends])),
      [[["inferred", 1]], [["inferred", 1]]],
    );
  });
});

describe("the responder", () => {
  it("acknowledges and never says more: its task ends with the timeout as its reason", async () => {
    const agent = await started(new ResponderAgent(app));
    const workflow = {
      id: "responder",
      name: "responder",
      tasks: [{ taskId: "only", timeout: "10s", retry: { maxAttempts: 2, initialDelay: "1s" } }],
    };
    const id = await trigger(agent.id, workflow);
    await app.until(() => agent.receiver.received.length === 1);
    const why = (await app.get(`/v1/opscore/sessions/${id}/why`)).json as JsonObject;
    assert.match(JSON.stringify(why), /ResponderAgent/);
    const { status, error } = await ended(id, 1_000);
    assert.equal(status, "failed");
    assert.equal((error as JsonObject).code, "timeout");
    assert.match(String((error as JsonObject).message), /10 ?s|timeout/);
    const [task] = await tasks(id);
    assert.deepEqual(
      attempts(task).map(({ status: each }) => each),
      ["timed_out", "timed_out"],
    );
    assert.equal(task?.deadLetter, true);
    assert.equal(agent.receiver.received.length, 2);
    const keys = agent.receiver.received.map(({ headers }) => headers["idempotency-key"]);
    assert.deepEqual(keys, [task?.taskId, task?.taskId]);
  });
});

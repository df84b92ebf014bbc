// Ops-Core's own routes: keys, states and triggers, with their order of checks and their texts.

import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { assertDetail, assertIssues, KEY, original } from "./original.ts";

const app = original();
const BEARER = { authorization: `Bearer ${KEY}` };
const JSON_TYPE = { "content-type": "application/json" };
const statePath = (id: string) => `/v1/opscore/agent/${id}/state`;
const workflowPath = (id: string) => `/v1/opscore/agent/${id}/workflow`;

function report(agentId: string, timestamp: string, rest: object = {}) {
  return app.post(statePath(agentId), { agentId, timestamp, state: "idle", ...rest });
}

test("/health answers without a key", async () => {
  assert.equal((await app.get("/health", {})).text, '{"status":"ok"}');
});

describe("a key", () => {
  const missing = "Authorization header missing";
  const invalid = "Invalid authentication credentials";
  const rows: [string | undefined, number, string][] = [
    [undefined, 401, missing],
    ["", 401, invalid],
    [KEY, 401, invalid],
    ["Bearer", 401, invalid],
    ["Bearer ", 401, invalid],
    ["Basic abc", 401, invalid],
    ["Bearer wrong", 401, invalid],
    [`Bearer  ${KEY}`, 401, invalid],
    [`Bearer\t${KEY}`, 401, invalid],
    [`Bearer ${KEY} x`, 401, invalid],
    [`Bearer ${KEY.toUpperCase()}`, 401, invalid],
    ["Bearer opk_00000000-0000-0000-0000-000000000000_x", 401, invalid],
    [`bearer ${KEY}`, 404, "No state found for agent x"],
    [`BEARER ${KEY}`, 404, "No state found for agent x"],
  ];
  for (const [authorization, status, detail] of rows) {
    it(`of ${JSON.stringify(authorization)}`, async () => {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const answer = await app.get(statePath("x"), headers);
      assertDetail(answer, status, detail);
      assert.equal(answer.headers["www-authenticate"], undefined);
    });
  }

  it("is asked for after the JSON's syntax and before everything else", async () => {
    for (const path of [statePath("x"), workflowPath("x")]) {
      const broken = await app.send("POST", path, { headers: JSON_TYPE, body: '{"a":' });
      assert.equal(broken.status, 422);
      assertDetail(await app.send("POST", path, { headers: JSON_TYPE, body: "{}" }), 401, missing);
      assertDetail(await app.send("POST", path, { headers: JSON_TYPE }), 401, missing);
      const wrong = { ...JSON_TYPE, authorization: "Bearer x" };
      assertDetail(await app.send("POST", path, { headers: wrong, body: "{}" }), 401, invalid);
      assert.equal((await app.send("POST", path, { headers: { ...JSON_TYPE, ...BEARER }, body: "{}" })).status, 422);
    }
  });
});

describe("reporting a state", () => {
  it("is accepted for an agent that is known", async () => {
    const id = await app.agent("reporter");
    const answer = await report(id, "2026-01-01T00:00:00+00:00", { details: null, extra: 1 });
    assert.equal(answer.status, 202);
    assert.equal(answer.text, '{"status":"success","message":"State update accepted"}');
  });

  it("compares the ids before it looks for the agent, and has its own text for one that is not there", async () => {
    const mismatch = "Agent ID in path does not match agent ID in payload";
    assertDetail(await app.post(statePath("a"), { agentId: "b", timestamp: "t", state: "s" }), 400, mismatch);
    assertDetail(await report("nobody", "t"), 404, "Agent not found: nobody");
    assertDetail(await app.get(statePath("nobody")), 404, "No state found for agent nobody");
  });

  it("takes any text as a state in any order, and any object as details", async () => {
    const id = await app.agent("free");
    for (const state of [
      "idle",
      "finished",
      "initializing",
      "BUSY",
      "IDLE",
      "",
      "made up \u{1f600}",
      "error",
      "active",
    ]) {
      assert.equal((await report(id, "2026-01-01T00:00:00Z", { state })).status, 202);
      const got = await app.get(statePath(id));
      assert.equal((got.json as { state: string }).state, state);
    }
    const details = '{"big":12345678901234567890,"one":1.0,"exp":1e+2,"nested":{"a":[null,"\u00e4"]}}';
    const raw = `{"agentId":"${id}","timestamp":"2026-01-01T00:00:00Z","state":"idle","details":${details}}`;
    assert.equal((await app.raw(statePath(id), raw)).status, 202);
    assert.equal(
      (await app.get(statePath(id))).text,
      `{"agentId":"${id}","state":"idle","details":${details},"timestamp":"2026-01-01T00:00:00Z"}`,
    );
  });

  it("shows the last one received, whatever its time says", async () => {
    const id = await app.agent("order");
    await report(id, "2026-01-02T00:00:00Z", { state: "active" });
    await report(id, "2026-01-01T00:00:00Z", { state: "idle" });
    assert.equal(
      (await app.get(statePath(id))).text,
      `{"agentId":"${id}","state":"idle","details":null,"timestamp":"2026-01-01T00:00:00Z"}`,
    );
  });
});

describe("a report's time", () => {
  let id = "";
  const shown = async (timestamp: string) => {
    if (id === "") id = await app.agent("clock");
    assert.equal((await report(id, timestamp)).status, 202);
    return ((await app.get(statePath(id))).json as { timestamp: string }).timestamp;
  };
  for (const [sent, expected] of [
    ["2026-01-02T03:04:05.123456+00:00", "2026-01-02T03:04:05.123456Z"],
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05.000000+00:00", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000Z"],
    ["2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123000Z"],
    ["2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05+02:00"],
    ["2026-01-02T03:04:05", "2026-01-02T03:04:05"],
    ["2026-01-02 03:04", "2026-01-02T03:04:00"],
    ["2026-01-02", "2026-01-02T00:00:00"],
    ["20260102T030405Z", "2026-01-02T03:04:05Z"],
    ["2026-W01-5", "2026-01-02T00:00:00"],
  ] as const) {
    it(`of ${sent} is shown as ${expected}`, async () => assert.equal(await shown(sent), expected));
  }
  for (const sent of ["", "now", "1700000000", "2026-13-01T00:00:00Z", "2026-01-02T25:00:00Z"]) {
    it(`of ${JSON.stringify(sent)} cannot be read: the server's is taken`, async () => {
      const now = new Date(app.app.time.now()).toISOString().slice(0, 10);
      assert.match(await shown(sent), new RegExp(`^${now}T.*Z$`));
    });
  }
});

describe("triggering a workflow", () => {
  const task = (taskId: string, rest: object = {}) => ({ taskId, name: taskId, parameters: { from: taskId }, ...rest });
  const definition = (id: string, tasks: object[] = [task("one")]) => ({ id, name: id, version: "1.0", tasks });
  const trigger = (agent: string, body: object) => app.post(workflowPath(agent), body);
  /** What the agent is given next; it is done with it at once. */
  const next = async (agent: { id: string; key: string }): Promise<JsonObject> => {
    const [assignment = {}] = await app.app.claim(agent);
    assert.equal((await app.app.settle(assignment, { status: "completed" })).status, 200);
    return assignment;
  };

  it("answers 202 with a session, the workflow and a text without full stop", async () => {
    const agent = await app.app.pullAgent("t1");
    const answer = await trigger(agent.id, { workflowDefinition: definition("w1"), initialPayload: null });
    assert.equal(answer.status, 202);
    const { sessionId } = answer.json as { sessionId: string };
    assert.equal(
      answer.text,
      `{"sessionId":"${sessionId}","workflowId":"w1","message":"Workflow triggered successfully"}`,
    );
    const again = await trigger(agent.id, {
      workflowDefinitionId: "w1",
      initialPayload: {},
      agentId: "y",
      context: {},
    });
    assert.equal(again.status, 202);
  });

  it("without tasks is complete at once, and its text has a full stop", async () => {
    const agent = await app.app.pullAgent("t2");
    const answer = await trigger(agent.id, { workflowDefinition: definition("w2", []) });
    const { sessionId } = answer.json as { sessionId: string };
    assert.deepEqual(answer.json, { sessionId, workflowId: "w2", message: "Workflow triggered but has no tasks." });
    const session = (await app.get(`/v1/opscore/sessions/${sessionId}`)).json as JsonObject;
    assert.equal(session.status, "completed");
    assert.deepEqual(session.result, { message: "Workflow has no tasks" });
  });

  it("looks for the definition before the agent", async () => {
    assertDetail(await trigger("nobody", { workflowDefinitionId: "none" }), 404, "Workflow definition not found: none");
    const inline = await trigger("nobody", { workflowDefinition: definition("w3") });
    assertDetail(inline, 404, "Agent not found: nobody");
  });

  it("refuses what is there and empty, and an id that is empty beside a definition is none", async () => {
    const agent = await app.app.pullAgent("t4");
    const missing = "Missing workflowDefinitionId or workflowDefinition";
    for (const body of [
      { workflowDefinitionId: null },
      { workflowDefinitionId: "" },
      { workflowDefinition: null },
      { workflowDefinitionId: "", workflowDefinition: null },
    ]) {
      assertDetail(await trigger(agent.id, body), 400, missing);
    }
    const both = await trigger(agent.id, { workflowDefinitionId: "", workflowDefinition: definition("w4") });
    assert.equal(both.status, 202);
    const nameless = await trigger(agent.id, { workflowDefinition: definition("") });
    assertDetail(nameless, 500, "Internal error resolving workflow definition.");
  });

  it("runs a definition under a known id as it is given, and keeps the first", async () => {
    const agent = await app.app.pullAgent("t5");
    await trigger(agent.id, { workflowDefinition: definition("w5") });
    await next(agent);
    const other = definition("w5", [task("other")]);
    assert.equal((await trigger(agent.id, { workflowDefinition: other })).status, 202);
    await trigger(agent.id, { workflowDefinitionId: "w5" });
    assert.equal((await next(agent)).task_name, "other");
    assert.equal((await next(agent)).task_name, "one");
  });

  it("gives the first task the payload if there is one, else its own parameters; the agent is the path's", async () => {
    const agent = await app.app.pullAgent("t6");
    await trigger(agent.id, { workflowDefinition: definition("w6"), initialPayload: { sent: 1 } });
    await trigger(agent.id, { workflowDefinitionId: "w6", initialPayload: {} });
    assert.deepEqual((await next(agent)).payload, { sent: 1 });
    assert.deepEqual((await next(agent)).payload, { from: "one" });
  });

  it("says of a bad definition where it is wrong, and starts nothing", async () => {
    const agent = await app.app.pullAgent("t7");
    const cyclic = [task("a", { dependsOn: ["b"] }), task("b", { dependsOn: ["a"] })];
    for (const tasks of [[{ name: "no id" }], [task("a"), task("a")], cyclic, [task("a", { parameters: null })]]) {
      const answer = await trigger(agent.id, { workflowDefinition: definition("w7", tasks) });
      const { detail } = answer.json as { detail: string };
      assert.equal(answer.status, 400, answer.text);
      assert.match(detail, /^Workflow definition error: tasks/);
    }
    const { items } = (await app.get("/v1/opscore/sessions?workflow=w7")).json as { items: unknown[] };
    assert.deepEqual(items, []);
    assertDetail(await trigger(agent.id, { workflowDefinitionId: "w7" }), 404, "Workflow definition not found: w7");
  });

  it("checks the body before anything is looked for", async () => {
    assertIssues(await trigger("nobody", { workflowDefinitionId: 5 }), [
      {
        type: "string_type",
        loc: ["body", "workflowDefinitionId"],
        msg: "Input should be a valid string",
        input: 5,
      },
    ]);
  });
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";

const WORKFLOWS = "/v1/opscore/workflows";

let app: TestApp;
before(() => {
  app = new TestApp();
});
after(() => app.close());

function definition(more: JsonObject = {}): JsonObject {
  return { id: "greet", name: "Greet", version: "1", tasks: [{ taskId: "a", agentCapability: "x" }], ...more };
}

const apply = (body: JsonObject) => app.call("POST", WORKFLOWS, { body });

test("a definition is saved once, and applying it again makes it the current one", async () => {
  const first = await apply({ definition: definition() });
  assert.equal(first.body.created, true);
  const { appliedAt, ...view } = first.body.workflow as JsonObject;
  assert.deepEqual(view, { id: "greet", version: "1", name: "Greet", description: null, steps: 1 });
  app.time.advance(1_000);
  await apply({ definition: definition({ version: "2" }) });
  assert.equal((await app.ok("GET", `${WORKFLOWS}/greet`)).version, "2");
  app.time.advance(1_000);
  const again = await apply({ definition: definition() });
  assert.equal(again.body.created, false);
  assert.ok(((again.body.workflow as JsonObject).appliedAt as string) > (appliedAt as string));
  assert.equal((await app.ok("GET", `${WORKFLOWS}/greet`)).version, "1");
  assert.deepEqual((await app.ok("GET", `${WORKFLOWS}/greet?version=2`)).definition, definition({ version: "2" }));
  const { items } = await app.ok("GET", `${WORKFLOWS}/greet/versions`);
  assert.deepEqual(
    (items as JsonObject[]).map(({ version }) => version),
    ["1", "2"],
  );
});

test("a known version with another body is refused, naming the difference", async () => {
  await apply({ definition: definition({ id: "fixed" }) });
  const answer = await apply({ definition: definition({ id: "fixed", name: "Other" }) });
  assert.equal(answer.status, 409);
  assert.equal(answer.body.code, "workflow_version_exists");
  assert.match(answer.body.detail as string, /name is "Other", was "Greet"/);
});

test("a definition may be YAML or JSON text", async () => {
  const yaml = "id: from-yaml\ntasks:\n  - taskId: a\n    agentCapability: x\n";
  assert.equal((await apply({ definition: yaml })).status, 200);
  assert.equal((await apply({ definition: JSON.stringify(definition({ id: "from-json" })) })).status, 200);
  const broken = await apply({ definition: "id: [" });
  assert.equal(broken.body.code, "workflow_invalid");
});

test("a definition without a name runs, and is shown by its id", async () => {
  const { name: _name, ...nameless } = definition({ id: "nameless" });
  assert.equal((await apply({ definition: nameless })).status, 200);
  assert.equal((await app.ok("GET", `${WORKFLOWS}/nameless`)).name, "nameless");
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", { body: { workflowId: "nameless" } });
  assert.equal((await app.ok("GET", `/v1/opscore/sessions/${sessionId}`)).status, "started");
});

test("a definition is checked whole, without saving it", async () => {
  const good = await app.ok("POST", `${WORKFLOWS}/validate`, { body: { definition: definition({ id: "checked" }) } });
  assert.equal(good.valid, true);
  assert.equal((await app.call("GET", `${WORKFLOWS}/checked`)).body.code, "workflow_not_found");
  const tasks = [
    { taskId: "a", dependsOn: ["b"], agentCapability: "x" },
    { taskId: "b", dependsOn: ["a"], agentCapability: "x" },
  ];
  const bad = await app.call("POST", `${WORKFLOWS}/validate`, {
    body: { definition: definition({ tasks, colour: 1 }) },
  });
  assert.equal(bad.status, 422);
  const issues = bad.body.detail as JsonObject[];
  assert.ok(issues.length >= 1);
  for (const { loc } of issues) assert.deepEqual((loc as unknown[]).slice(0, 2), ["body", "definition"]);
});

test("what is legal but odd is said as a warning", async () => {
  const tasks = [
    { taskId: "a", dependsOn: ["b"], agentCapability: "x", timeout: "1h", deadline: "1m" },
    { taskId: "b", agentCapability: "x" },
  ];
  const { warnings } = await app.ok("POST", `${WORKFLOWS}/validate`, { body: { definition: definition({ tasks }) } });
  assert.ok((warnings as JsonObject[]).length > 0);
  assert.deepEqual(((warnings as JsonObject[])[0]?.loc as unknown[] | undefined)?.slice(0, 2), ["body", "definition"]);
});

test("workflows are listed by id, page by page", async () => {
  const listing = new TestApp();
  for (const id of ["c", "a", "b"]) {
    await listing.ok("POST", WORKFLOWS, { body: { definition: definition({ id }) } });
  }
  const first = await listing.ok("GET", `${WORKFLOWS}?limit=2`);
  const rest = await listing.ok("GET", `${WORKFLOWS}?limit=2&cursor=${first.nextCursor}`);
  const ids = [...(first.items as JsonObject[]), ...(rest.items as JsonObject[])].map(({ id }) => id);
  assert.deepEqual(ids, ["a", "b", "c"]);
  await listing.close();
});

test("unknown workflows and versions are not found", async () => {
  for (const path of ["nothing", "nothing/versions", "greet?version=99"]) {
    const { body } = await app.call("GET", `${WORKFLOWS}/${path}`);
    assert.equal(body.code, "workflow_not_found", path);
  }
});

test("what a definition wants that is not there is warned about, by its place, with the nearest", async () => {
  await app.ok("POST", "/v1/opscore/agents", {
    body: { agentName: "reader", capabilities: ["text.read"], contactEndpoint: "http://127.0.0.1:9/" },
  });
  const tasks = [
    { taskId: "good", agentCapability: "text.read", fallback: { agentName: "reader" } },
    { taskId: "typo", agentCapability: "text.raed", dependsOn: ["good"], compensate: { tool: "undo" } },
    { taskId: "named", agentName: "nobody", dependsOn: ["good"], fallback: { agentCapability: "zzz" } },
    { taskId: "post", tool: "slack.post", dependsOn: ["good"] },
    { taskId: "child", workflow: { id: "unknown", version: "2" }, dependsOn: ["good"] },
    { taskId: "itself", when: "${{ false }}", workflow: { id: "wants" }, dependsOn: ["good"] },
  ] as unknown as JsonObject[];
  const body = { definition: definition({ id: "wants", tasks, onFailure: "compensate" }) };
  const later = "; what needs it will wait until one is registered";
  const expected = [
    ["tasks.1.agentCapability", "no_agent", `no agent has this capability now (the nearest: \`text.read\`)${later}`],
    ["tasks.1.compensate.tool", "no_tool", `no tool has this name now${later}`],
    ["tasks.2.agentName", "no_agent", `no agent has this name now${later}`],
    ["tasks.2.fallback.agentCapability", "no_agent", `no agent has this capability now${later}`],
    ["tasks.3.tool", "no_tool", `no tool has this name now${later}`],
    [
      "tasks.4.workflow.id",
      "no_workflow",
      "no such version of this workflow is known now; apply it before a session gets here, or the step will fail",
    ],
  ];
  const missing = ({ warnings }: JsonObject) =>
    (warnings as JsonObject[])
      .filter(({ type }) => String(type).startsWith("no_") && type !== "no_effect")
      .map(({ loc, type, msg }) => [(loc as string[]).slice(2).join("."), type, msg]);
  assert.deepEqual(missing(await app.ok("POST", `${WORKFLOWS}/validate`, { body })), expected);
  assert.deepEqual(missing(await app.ok("POST", WORKFLOWS, { body })), expected);
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { TestApp } from "./test-app.ts";

const KEY = "operator-key-of-the-tests";
const schema: JsonObject = {
  type: "object",
  required: ["url"],
  properties: { url: { type: "string", pattern: "^https:" }, tags: { items: { type: "string" } } },
  additionalProperties: false,
};
const workflow: JsonObject = {
  id: "review",
  name: "Review",
  version: "1",
  input: { schema },
  tasks: [{ taskId: "a", parameters: { url: "${{ input.url }}" } }],
};
const BAD: JsonObject = { url: "ftp:x", tags: ["a", 5], ulr: 1 };

let app: TestApp;
let agentId: string;
before(async () => {
  app = new TestApp();
  await app.start();
  agentId = (await app.pullAgent("worker")).id;
  await app.ok("POST", "/v1/opscore/workflows", { body: { definition: workflow } });
});
after(() => app.close());

/** A request over a real connection. */
async function post(path: string, body: JsonValue): Promise<{ status: number; code: string | null; body: JsonObject }> {
  const answer = await fetch(`${app.app.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const code = answer.headers.get("x-error-code");
  return { status: answer.status, code, body: (await answer.json()) as JsonObject };
}

const issuesAt = (...place: string[]): JsonValue => [
  { loc: [...place, "url"], msg: "must match the pattern ^https:", type: "pattern_mismatch" },
  { loc: [...place, "tags", 1], msg: "must be string", type: "wrong_type" },
  { loc: [...place, "ulr"], msg: "is not allowed here", type: "not_allowed" },
];

test("whichever route starts a workflow, an input that its schema refuses is answered with every path", async () => {
  const sessions = "/v1/opscore/sessions";
  const trigger = `/v1/opscore/agent/${agentId}/workflow`;
  const routes: readonly (readonly [path: string, body: (input: JsonObject) => JsonObject, place: string])[] = [
    [sessions, (input) => ({ workflowId: "review", agentId, input }), "input"],
    [sessions, (input) => ({ workflow, agentId, input }), "input"],
    [trigger, (input) => ({ workflowDefinitionId: "review", initialPayload: input }), "initialPayload"],
    [trigger, (input) => ({ workflowDefinition: workflow, initialPayload: input }), "initialPayload"],
  ];
  for (const [path, bodyOf, place] of routes) {
    const refused = await post(path, bodyOf(BAD));
    assert.deepEqual([refused.status, refused.code], [422, "input_invalid"], path);
    // The originals' routes answer in their own form, which has one more key.
    const issues = (refused.body.detail as JsonObject[]).map(({ input: _input, ...issue }) => issue);
    assert.deepEqual(issues, issuesAt("body", place));
    assert.equal((await app.ok("GET", sessions)).nextCursor, null);
  }
  assert.deepEqual((await app.ok("GET", sessions)).items, [], "nothing was started");
  const lenient = { ...workflow, id: "lenient", input: { schema: { type: "object" } } };
  assert.equal((await post(trigger, { workflowDefinition: lenient, initialPayload: {} })).status, 202, "an empty one");
  for (const [path, bodyOf] of routes) {
    assert.equal((await post(path, bodyOf({ url: "https://example.com", tags: ["a"] }))).status, 202, path);
  }
});

test("a result that its step's schema refuses is taken, and the attempt is shown as failed with the path", async () => {
  const agent = await app.pullAgent("scorer", ["score"]);
  const step = { taskId: "a", agentCapability: "score", output: { schema: { required: ["score"] } } };
  const { sessionId } = await app.ok("POST", "/v1/opscore/sessions", {
    body: { workflow: { id: "score", tasks: [{ ...step, retry: { maxAttempts: 1 } }] } },
  });
  const [assignment] = await app.claim(agent);
  assert.ok(assignment);
  const { taskId, token } = assignment.opspawn as JsonObject;
  const told = await post(`/v1/opscore/tasks/${taskId}/result`, {
    token: token ?? null,
    status: "completed",
    result: {},
  });
  assert.deepEqual([told.status, told.body], [200, { taskId, status: "failed", accepted: true }]);
  const message = "The result does not fit the step's output schema: result.score: is required";
  const task = await app.ok("GET", `/v1/opscore/tasks/${taskId}`);
  assert.deepEqual((task.attemptList as JsonObject[])[0]?.error, { code: "output_invalid", message });
  const session = await app.ok("GET", `/v1/opscore/sessions/${sessionId}`);
  assert.deepEqual([session.status, (session.error as JsonObject).message], ["failed", message]);
});

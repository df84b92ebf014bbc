import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type JsonObject, originalOperations } from "@opspawn/contract";
import { TestApp } from "../../app/test-app.ts";
import { message, notification, registration, stateReport, trigger } from "./bodies.ts";
import { ORIGINAL_EXAMPLES } from "./examples.ts";
import { readBody } from "./schema.ts";

let app: TestApp;
before(() => {
  app = new TestApp();
});
after(() => app.close());

test("the documentation names every route of the originals beside ours, with an example of each conversation", async () => {
  const document = await app.ok("GET", "/openapi.json", { key: null });
  const paths = document.paths as Record<string, Record<string, JsonObject>>;
  const ids = new Set<unknown>();
  for (const described of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    assert.ok(!ids.has(described.operationId), String(described.operationId));
    ids.add(described.operationId);
  }
  for (const [name, { path, method, permission }] of Object.entries(originalOperations)) {
    const described = paths[path]?.[method.toLowerCase()];
    const { request, status } = ORIGINAL_EXAMPLES[name as keyof typeof originalOperations];
    assert.match(String(described?.description), new RegExp(permission.scope));
    assert.equal(described?.requestBody === undefined, request === undefined, name);
    assert.ok(Object.keys(described?.responses ?? {}).includes(String(status)), name);
    const anonymous = "anonymous" in permission;
    assert.deepEqual(described?.security, anonymous ? [{ key: [] }, {}] : [{ key: [] }]);
  }
  const register = paths["/v1/agents/register"]?.post?.requestBody as JsonObject;
  assert.match(JSON.stringify(register), /"required":\["agentName","version","contactEndpoint"\]/);
});

test("the examples are valid requests", () => {
  readBody(registration, ORIGINAL_EXAMPLES.register.request);
  readBody(message, ORIGINAL_EXAMPLES.run.request);
  readBody(notification, ORIGINAL_EXAMPLES.notify.request);
  readBody(stateReport, ORIGINAL_EXAMPLES.reportState.request);
  readBody(trigger, ORIGINAL_EXAMPLES.trigger.request);
});

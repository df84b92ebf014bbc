import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { JsonObject } from "@opspawn/contract";
import { TestApp } from "../app/test-app.ts";
import { editorSchema } from "../domain/workflows/editor-schema.ts";

const PATH = "/v1/opscore/workflow-schema";

let app: TestApp;
before(() => {
  app = new TestApp();
});
after(() => app.close());

test("an editor gets the schema of definitions without a key, and need not get it twice", async () => {
  const first = await app.call("GET", PATH, { key: null });
  assert.equal(first.status, 200);
  assert.deepEqual(first.body, editorSchema());
  assert.equal(first.headers["content-type"], "application/schema+json");
  assert.equal(first.headers["cache-control"], "public, max-age=3600");
  const again = await app.app.http.inject({ url: PATH, headers: { "if-none-match": String(first.headers.etag) } });
  assert.deepEqual([again.statusCode, again.body, again.headers.etag], [304, "", first.headers.etag]);
  assert.equal((await app.call("GET", PATH, { key: null, headers: { "if-none-match": '"other"' } })).status, 200);
  assert.equal((await app.call("POST", PATH, { body: {} })).status, 405);
});

test("the schema stands in the API's documentation, as something that needs no key", async () => {
  const { paths } = await app.ok("GET", "/openapi.json", { key: null });
  const described = ((paths as JsonObject)[PATH] as JsonObject).get as JsonObject;
  assert.deepEqual([described.operationId, described.security], ["workflows.schema", [{}]]);
});

test("a process that has no workflows does not serve their schema", async () => {
  const gateway = new TestApp({ OPSPAWN_ROLE: "agentkit" });
  assert.equal((await gateway.call("GET", PATH)).status, 404);
  await gateway.close();
});

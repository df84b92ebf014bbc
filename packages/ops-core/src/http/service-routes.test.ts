import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allOperations, ERRORS, type JsonObject } from "@opspawn/contract";
import { settled, TestApp } from "../app/test-app.ts";
import { BODY_EXAMPLES, PARAMETER_EXAMPLES } from "./openapi-examples.ts";

let app: TestApp;
before(() => {
  app = new TestApp();
});
after(() => app.close());

test("a process is alive from the first moment, and ready once it has started", async () => {
  const starting = new TestApp();
  assert.deepEqual((await starting.call("GET", "/healthz", { key: null })).body, { status: "ok" });
  const early = await starting.call("GET", "/readyz", { key: null });
  assert.equal(early.status, 503);
  assert.deepEqual(early.body, { status: "starting" });
  await starting.start();
  assert.equal((await starting.call("GET", "/readyz", { key: null })).status, 200);
  await starting.close();
});

test("the documentation names every operation, its errors and who may use it", async () => {
  const document = await app.ok("GET", "/openapi.json", { key: null });
  assert.equal(document.openapi, "3.1.0");
  const paths = document.paths as Record<string, Record<string, JsonObject>>;
  for (const { id, path, method, permission, errors, status } of allOperations) {
    const described = paths[path]?.[method.toLowerCase()];
    assert.equal(described?.operationId, id);
    assert.match(described?.description as string, new RegExp(permission.scope));
    const responses = described?.responses as Record<string, JsonObject>;
    assert.ok(responses[status], id);
    for (const code of errors) {
      const response = responses[ERRORS[code].status];
      assert.ok(JSON.stringify(response).includes(`#/components/examples/${code}`), `${id}: ${code}`);
    }
  }
});

test("the documentation's page calls the server it came from, under whatever name that was reached", async () => {
  const document = await app.ok("GET", "/openapi.json", { key: null });
  assert.equal((document.servers as JsonObject[])[0]?.url, "/");
  const page = await app.call("GET", "/docs", { key: null });
  assert.match(String(page.headers["content-security-policy"]), /default-src 'none'.*connect-src 'self'/);
});

test("everything the documentation refers to is in it", async () => {
  const document = await app.ok("GET", "/openapi.json");
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g);
  let count = 0;
  for (const [, path] of references) {
    const found = path?.split("/").reduce<unknown>((at, key) => (at as JsonObject | undefined)?.[key], document);
    assert.notEqual(found, undefined, path);
    count += 1;
  }
  assert.ok(count > 100);
});

test("the examples of the documentation are valid requests", () => {
  for (const { id, body, params } of allOperations) {
    const example = BODY_EXAMPLES[id];
    if (body === undefined) assert.equal(example, undefined, id);
    else assert.ok(body.safeParse(example).success, id);
    for (const name of Object.keys(params?.shape ?? {})) assert.ok(PARAMETER_EXAMPLES[name], `${id}: ${name}`);
  }
});

test("the documentation is shown with assets of this machine, and nothing else may run in it", async () => {
  const page = await app.app.http.inject({ method: "GET", url: "/docs" });
  assert.match(String(page.headers["content-type"]), /^text\/html/);
  assert.match(String(page.headers["content-security-policy"]), /default-src 'none'; script-src 'self'/);
  const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? "");
  assert.equal(links.length, 4);
  for (const url of links) {
    assert.match(url, /^\/docs\//);
    assert.equal((await app.app.http.inject({ method: "GET", url })).statusCode, 200, url);
  }
  assert.ok(!/<script>|onload=|style=/.test(page.body));
});

test("each request leaves one line in the log, without its query", async () => {
  app.log.length = 0;
  const answer = await app.call("GET", "/v1/opscore/agents?cursor=planted");
  await app.call("GET", "/healthz");
  await app.call("GET", "/nowhere?secret=planted", { key: null });
  await settled();
  const lines = app.log.filter(({ message }) => message === "request");
  assert.equal(lines.length, 2);
  const [first, second] = lines;
  assert.equal(first?.fields.requestId, answer.headers["x-request-id"]);
  assert.equal(first?.fields.operation, "agents.list");
  assert.equal(first?.fields.path, "/v1/opscore/agents");
  assert.equal(first?.fields.status, 422);
  assert.equal(second?.fields.status, 404);
  assert.ok(!JSON.stringify(lines).includes("planted"));
});

test("requests beyond what is served at once are turned away, and probes are not", async () => {
  const small = new TestApp({ OPSPAWN_MAX_IN_FLIGHT: "1" });
  const agent = await small.pullAgent("waiting");
  const waiting = small.call("POST", `/v1/opscore/agents/${agent.id}/claim`, { body: { wait: "3s" } });
  await settled();
  const refused = await small.call("GET", "/v1/opscore/agents");
  assert.equal(refused.status, 503);
  assert.equal(refused.body.code, "overloaded");
  assert.equal(refused.headers["retry-after"], "1");
  assert.equal((await small.call("GET", "/healthz")).status, 200);
  small.time.advance(3_000);
  await waiting;
  await settled();
  assert.equal((await small.call("GET", "/v1/opscore/agents")).status, 200);
  assert.ok(small.log.some(({ level, fields }) => level === "warn" && fields.status === 503));
  await small.close();
});

test("more waits than allowed are turned away", async () => {
  const small = new TestApp({ OPSPAWN_MAX_WAITS: "1" });
  const agent = await small.pullAgent("waiting");
  const claim = () => small.call("POST", `/v1/opscore/agents/${agent.id}/claim`, { body: { wait: "3s" } });
  const waiting = claim();
  await settled();
  assert.equal((await claim()).body.code, "overloaded");
  small.time.advance(3_000);
  await waiting;
  await small.close();
});

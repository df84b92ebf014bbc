// Bad input, on every route that takes any: a clear typed error, nothing stored, and the server still answers.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { allOperations, originalOperations } from "@opspawn/contract";
import { KEY, Original } from "./original.ts";
import { assertRefused, storedIn } from "./refusal.ts";
import { closeConnections, type WireAnswer } from "./wire.ts";

const BEARER = { authorization: `Bearer ${KEY}` };
const JSON_HEADERS = { ...BEARER, "content-type": "application/json" };
const METADATA_ADDRESS = "http://169.254.169.254/latest/meta-data";

const data = mkdtempSync(join(tmpdir(), "opspawn-bad-input-"));
const ids: Record<string, string> = {
  name: "tool",
  workflowId: "kept",
  keyId: "key_x",
  deliveryId: "dlv_x",
  scheduleId: "sch_x",
  approvalId: "apr_x",
};
const servers: Original[] = [];
let app: Original;
let stored: Readonly<Record<string, string>>;

before(async () => {
  const first = new Original({}, { data });
  await first.start();
  ids.agentId = await first.agent("kept");
  await first.post("/v1/tools", { name: "tool", endpoint: "http://127.0.0.1:9/" }, BEARER);
  const workflow = { id: "kept", name: "kept", tasks: [{ taskId: "a" }] };
  const body = { workflowDefinition: workflow };
  const started = await first.post(`/v1/opscore/agent/${ids.agentId}/workflow`, body);
  ids.sessionId = (started.json as { sessionId: string }).sessionId;
  const tasks = await first.get("/v1/opscore/tasks");
  ids.effectId = "charge";
  ids.taskId = (tasks.json as { items: { taskId: string }[] }).items[0]?.taskId ?? "";
  await first.app.ok("POST", `/v1/opscore/sessions/${ids.sessionId}/cancel`);
  const schedule = { name: "kept", workflowId: "kept", agentId: ids.agentId, every: "365d" };
  const { scheduleId } = await first.app.ok("POST", "/v1/opscore/schedules", { body: schedule });
  ids.scheduleId = String(scheduleId);
  await first.close();
  stored = storedIn(data);
  app = new Original({}, { data, time: first.app.time });
  servers.push(app);
  await app.start();
});
// So many requests about one task are more than a second may have.
beforeEach(() => app.app.time.advance(1_000));
after(async () => {
  for (const server of servers) await server.close();
  closeConnections();
  rmSync(data, { recursive: true });
});

interface Route {
  readonly method: string;
  readonly path: string;
  readonly isOriginal: boolean;
  readonly needsBody: boolean;
}

function filled(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? "");
}

const ROUTES: readonly Route[] = [
  ...Object.values(originalOperations)
    .filter(({ method }) => method === "POST")
    .map(({ method, path }) => ({ method, path, isOriginal: true, needsBody: true })),
  ...allOperations
    .filter(({ body }) => body !== undefined)
    .map(({ method, path, body }) => {
      return { method, path, isOriginal: false, needsBody: body?.safeParse(undefined).success === false };
    }),
];

function call({ method, path }: Pick<Route, "method" | "path">, body: string | Uint8Array): Promise<WireAnswer> {
  return app.send(method, filled(path), { headers: JSON_HEADERS, body });
}

const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const member = (value: string) => `{"payload":${value},"details":${value},"definition":${value},"input":${value}}`;

const SYNTAX: readonly string[] = [
  "{",
  '{"a":}',
  '{"a":1,}',
  "{'a':1}",
  "nul",
  "[1 2]",
  '{"a":1}{"b":2}',
  '"\u0001"',
  '{"a":01}',
  '"\\x"',
];
/** Not UTF-8: a stray byte in a text, and UTF-16. */
const BYTES = [new Uint8Array([0x22, 0xff, 0x22]), new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])];
const LIMITS: readonly [string, string, readonly string[]][] = [
  ["10,000 levels", deep(10_000), ["too_deep"]],
  ["10,000 levels inside", member(deep(10_000)), ["too_deep"]],
  ["10,000 levels of objects", '{"a":'.repeat(10_000), ["too_deep", "json_invalid"]],
  ["65 levels inside", member(deep(64)), ["too_deep"]],
  ["NaN", member("NaN"), ["json_invalid"]],
  ["Infinity", member("-Infinity"), ["json_invalid"]],
  ["a number of 5,000 digits", member("9".repeat(5_000)), ["invalid_request", "json_invalid"]],
  ["NUL in a text", member('"a\\u0000b"'), ["invalid_text"]],
  ["NUL in a key", '{"a\\u0000b":1}', ["invalid_text"]],
  ["a lone high surrogate", member('"\\ud800"'), ["invalid_text"]],
  ["a lone low surrogate in a key", '{"\\udc00":1}', ["invalid_text"]],
  ["a key into a prototype", '{"__proto__":{"admin":true}}', ["invalid_request"]],
  ["a key into a constructor inside", member('{"constructor":{"prototype":{}}}'), ["invalid_request"]],
  [
    "10,001 keys",
    JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [i, 0]))),
    ["invalid_request"],
  ],
  ["a text of 300 KB", member(JSON.stringify("x".repeat(300_000))), ["body_too_large"]],
];
const TYPES: readonly string[] = ["[]", '"text"', "1", "1.5", "true", "null", "", "[[]]", '[{"a":1}]'];

for (const route of ROUTES) {
  const name = `${route.method} ${route.path}`;
  describe(name, () => {
    it("refuses what is no JSON", async () => {
      for (const body of SYNTAX) assertRefused(await call(route, body), route.isOriginal, ["json_invalid"]);
      for (const body of BYTES) assertRefused(await call(route, body), route.isOriginal, ["invalid_text"]);
    });
    it("refuses what is beyond the limits", async () => {
      for (const [what, body, codes] of LIMITS) {
        assertRefused(await call(route, body), route.isOriginal, codes);
        assert.ok(what);
      }
      const large = JSON.stringify({ payload: "x".repeat(5_000_000) });
      assertRefused(await call(route, large), route.isOriginal, ["body_too_large"]);
    });
    it("refuses values of other types", async () => {
      const types = route.needsBody ? TYPES : TYPES.filter((body) => body !== "");
      for (const body of types) assertRefused(await call(route, body), route.isOriginal, ["invalid_request"]);
    });
    it("refuses fields of other types", async () => {
      const fields = ["agentName", "agentId", "senderId", "event_type", "workflowDefinitionId", "workflowId", "name"];
      const more = ["definition", "labels", "token", "max", "agent_details", "version", "state", "reason", "scopes"];
      for (const value of [1, null, [], {}, true]) {
        const body = JSON.stringify(Object.fromEntries([...fields, ...more].map((field) => [field, value])));
        assertRefused(await call(route, body), route.isOriginal, ["invalid_request"]);
      }
    });
  });
}

describe("another content type", () => {
  for (const { method, path, isOriginal } of ROUTES) {
    it(`of ${method} ${path}`, async () => {
      for (const type of ["text/plain", "application/xml", "multipart/form-data; boundary=x", "nonsense", "a/b/c"]) {
        const headers = { ...BEARER, "content-type": type };
        const answer = await app.send(method, filled(path), { headers, body: '{"a":1}' });
        assertRefused(answer, isOriginal, [isOriginal ? "invalid_request" : "unsupported_media_type"]);
      }
    });
  }
});

describe("ids nobody knows, and ids that are none", () => {
  const strange = [
    "nobody",
    "00000000-0000-0000-0000-000000000000",
    "..%2f..%2fetc",
    "%F0%9F%98%80",
    "x".repeat(3_000),
  ];
  const unreadable = ["%00", "a%00b", "%zz", "%ff"];
  for (const { id, method, path, params, body, permission } of allOperations) {
    if (params === undefined) continue;
    it(`${id}: ${method} ${path}`, async () => {
      for (const each of [...strange, ...unreadable]) {
        const url = path.replaceAll(/\{\w+\}/g, each);
        const headers = body === undefined ? BEARER : JSON_HEADERS;
        const answer = await app.send(method, url, { headers, ...(body === undefined ? {} : { body: sample(id) }) });
        const isPath = unreadable.includes(each);
        if (!isPath) assertRefused(answer, false);
        assert.ok(
          [400, 404, 422].includes(answer.status),
          `${each.slice(0, 50)}: ${answer.status} ${permission.scope}`,
        );
      }
    });
  }
  it("on the originals' routes", async () => {
    const report = (agentId: string) => ({ agentId, timestamp: "t", state: "idle" });
    for (const id of ["nobody", "x".repeat(3_000), "%F0%9F%98%80"]) {
      const answers = [
        await app.post(`/v1/agents/${id}/run`, { senderId: "s", messageType: "m", payload: {} }),
        await app.post(`/v1/opscore/agent/${id}/state`, report(decodeURIComponent(id))),
        await app.get(`/v1/opscore/agent/${id}/state`),
        await app.post(`/v1/opscore/agent/${id}/workflow`, { workflowDefinitionId: "kept" }),
        await app.send("DELETE", `/v1/agents/${id}`, { headers: BEARER }),
      ];
      for (const answer of answers) {
        assertRefused(answer, true, ["agent_not_found"]);
        assert.equal(answer.status, 404);
      }
    }
  });
});

describe("a body in another coding", () => {
  it("is refused by name, and not unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    for (const route of ROUTES) {
      for (const coding of ["gzip", "br", "deflate, gzip"]) {
        const headers = { ...JSON_HEADERS, "content-encoding": coding };
        const answer = await app.send(route.method, filled(route.path), { headers, body: bomb });
        assertRefused(answer, route.isOriginal, [route.isOriginal ? "invalid_text" : "unsupported_media_type"]);
      }
    }
  });
});

describe("questions nobody understands", () => {
  const bad: Readonly<Record<string, readonly string[]>> = {
    limit: ["0", "-1", "201", "abc", "1.5", "", "1&limit=2", "99999999999999999999"],
    cursor: ["nonsense", "eyJhIjoxfQ", "WzEsMiwzLDQsNV0", "%00", "x".repeat(5_000)],
    status: ["none", "COMPLETED", "%00"],
    since: ["yesterday", "2026-13-01T00:00:00Z", "1"],
    until: ["never"],
    label: ["x", "=x", "a%00=b"],
    wait: ["-1s", "soon", "2m", "1e9h", "5"],
    after: ["-1", "1e99", "abc", "0.5"],
    unheard: ["1"],
    "constructor[prototype]": ["1"],
  };
  const questions = Object.entries(bad).flatMap(([name, values]) => values.map((value) => `${name}=${value}`));
  for (const { id, method, path } of allOperations.filter((operation) => operation.method === "GET")) {
    it(`${id}: ${method} ${path}`, async () => {
      for (const question of questions) {
        const answer = await app.get(`${filled(path)}?${question}`);
        assertRefused(answer, false, ["invalid_request", "invalid_cursor", "invalid_text"]);
        const { detail } = answer.json as { detail: { loc: string[] }[] };
        assert.equal(detail[0]?.loc[0], "query", `${question.slice(0, 40)}: ${answer.text}`);
      }
    });
  }
});

/** A good body for an operation whose resource does not exist. */
function sample(id: string): string {
  const bodies: Record<string, string> = {
    "sessions.label": '{"labels":{}}',
    "tasks.result": '{"token":"1.x","status":"completed"}',
    "tasks.lease": '{"token":"1.x"}',
  };
  return bodies[id] ?? "{}";
}

describe("a workflow that cannot be", () => {
  const step = (taskId: string, rest: object = {}) => ({ taskId, name: taskId, ...rest });
  const tasks: Record<string, object[]> = {
    cycle: [step("a", { dependsOn: ["b"] }), step("b", { dependsOn: ["a"] })],
    self: [step("a", { dependsOn: ["a"] })],
    chain: [step("a", { nextTaskId: "b" }), step("b", { nextTaskId: "a" })],
    unknown: [step("a", { dependsOn: ["x"] })],
    twice: [step("a"), step("a")],
    expression: [step("a", { parameters: { x: "${{ steps.b.result }}" } })],
    syntax: [step("a", { parameters: { x: "${{ 1 + }}" } })],
    "no list": [step("a", { forEach: "size([1])" })],
    many: Array.from({ length: 1_001 }, (_, i) => step(`s${i}`)),
  };
  for (const [name, list] of Object.entries(tasks)) {
    it(`(${name}) is refused with its place, wherever it comes in`, async () => {
      const definition = { id: `bad-${name}`, name, tasks: list };
      const trigger = `/v1/opscore/agent/${ids.agentId}/workflow`;
      assertRefused(await app.post(trigger, { workflowDefinition: definition }), true, ["workflow_invalid"]);
      const post = (path: string, body: object) => app.post(path, body, BEARER);
      for (const answer of [
        await post("/v1/opscore/workflows", { definition }),
        await post("/v1/opscore/workflows/validate", { definition }),
        await post("/v1/opscore/sessions", { workflow: definition, agentId: ids.agentId }),
      ]) {
        assertRefused(answer, false, ["workflow_invalid"]);
        const { detail } = answer.json as { detail: { loc: unknown[] }[] };
        assert.deepEqual(detail[0]?.loc.slice(0, 1), ["body"]);
      }
    });
  }

  const aliases = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}, *a${i}]`);
  const texts: Record<string, string> = {
    bomb: `a0: &a0 [x, x, x, x]\n${aliases.join("\n")}\nid: bomb\nname: b\ntasks: *a20`,
    merge: "a: &a {<<: *a}\nid: x",
    tag: "id: !!js/function 'function () {}'\nname: x\ntasks: []",
    custom: "id: !secret x\nname: x\ntasks: []",
    duplicate: "id: x\nid: y\nname: x\ntasks: []",
    documents: "id: x\n---\nid: y",
    tabs: "id:\tx\n\tname: y",
    deep: `id: x\nname: x\ntasks: ${deep(200)}`,
    nothing: "",
    scalar: "just a text",
    "large.yaml": `id: x\n${"# comment\n".repeat(20_000)}`,
    prototype: "__proto__: {a: 1}\nid: x\nname: x\ntasks: []",
    nul: 'id: "a\\0b"\nname: x\ntasks: [{taskId: a}]',
  };
  for (const [name, text] of Object.entries(texts)) {
    it(`as YAML (${name}) is refused`, async () => {
      for (const path of ["/v1/opscore/workflows", "/v1/opscore/workflows/validate"]) {
        assertRefused(await app.post(path, { definition: text }, BEARER), false);
      }
    });
  }
});

describe("an address that nobody may call", () => {
  for (const url of [
    METADATA_ADDRESS,
    "http://[::ffff:169.254.169.254]/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://metadata.google.internal/",
    "http://10.0.0.1/",
    "http://[fc00::1]/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "http://user:secret@127.0.0.1/",
  ]) {
    it(`${url}: as endpoint of an agent or tool, in a notification, or to be called back`, async () => {
      const agent = { agentName: "bad", version: "1", contactEndpoint: url };
      const details = { ...agent, agentId: "bad" };
      assertRefused(await app.post("/v1/agents/register", agent), true);
      const notice = { event_type: "REGISTER", agent_details: details };
      assertRefused(await app.post("/v1/opscore/internal/agent/notify", notice), true);
      assertRefused(await app.post("/v1/opscore/agents", { agentName: "bad", contactEndpoint: url }, BEARER), false);
      assertRefused(await app.post("/v1/tools", { name: "bad", endpoint: url }, BEARER), false);
      const session = { workflowId: "kept", agentId: ids.agentId, callbackUrl: url };
      assertRefused(await app.post("/v1/opscore/sessions", session, BEARER), false);
    });
  }
});

describe("afterwards", () => {
  it("the server answers, no request failed by our fault, and nothing was stored", async () => {
    assert.equal((await app.get("/readyz", {})).status, 200);
    assert.equal((await app.get(`/v1/opscore/sessions/${ids.sessionId}`)).status, 200);
    assert.deepEqual(
      app.app.log.filter(({ level, fields }) => level === "error" || Number(fields.status) >= 500),
      [],
    );
    await app.close();
    assert.deepEqual(storedIn(data), stored);
  });
});

// 422: every row of the originals' table of validation errors, over the wire, on each route that can answer it.

import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { assertDetail, assertIssues, original } from "./original.ts";

const app = original();
const REGISTER = "/v1/agents/register";
const RUN = "/v1/agents/nobody/run";
const NOTIFY = "/v1/opscore/internal/agent/notify";
const STATE = "/v1/opscore/agent/x/state";
const WORKFLOW = "/v1/opscore/agent/x/workflow";

const AGENT = { agentName: "n", version: "1", contactEndpoint: "http://127.0.0.1/" };
const MESSAGE = { senderId: "s", messageType: "m", payload: {} };
const DETAILS = { agentId: "i", agentName: "n", version: "1", contactEndpoint: "http://127.0.0.1/" };
const REPORT = { agentId: "x", timestamp: "2026-01-01T00:00:00Z", state: "idle" };

describe("a body that is not there, or no object", () => {
  for (const path of [REGISTER, RUN, NOTIFY, STATE, WORKFLOW]) {
    it(`of ${path}`, async () => {
      const missing = [{ type: "missing", loc: ["body"], msg: "Field required", input: null }];
      assertIssues(await app.raw(path, ""), missing);
      assertIssues(await app.raw(path, "null"), missing);
      const msg = "Input should be a valid dictionary or object to extract fields from";
      const noObject = (input: unknown) => [{ type: "model_attributes_type", loc: ["body"], msg, input }];
      assertIssues(await app.raw(path, "[1]"), noObject([1]));
      assertIssues(await app.raw(path, '"text"'), noObject("text"));
      assertIssues(await app.raw(path, "7"), noObject(7));
      const plain = { "content-type": "text/plain" };
      assertIssues(await app.raw(path, '{"a":1}', plain), noObject('{"a":1}'));
      const form = { "content-type": "application/x-www-form-urlencoded" };
      assertIssues(await app.raw(path, "a=1&b=2", form), noObject("a=1&b=2"));
    });

    it(`of ${path}, when it is no JSON: the place is told`, async () => {
      const answer = await app.raw(path, '{"agentName": "\u00e4", }');
      const { detail } = answer.json as { detail: Record<string, unknown>[] };
      assert.equal(answer.status, 422);
      assert.equal(detail.length, 1);
      const [issue] = detail;
      assert.deepEqual(Object.keys(issue ?? {}), ["type", "loc", "msg", "input", "ctx"]);
      assert.deepEqual([issue?.type, issue?.loc, issue?.msg], ["json_invalid", ["body", 19], "JSON decode error"]);
      assert.deepEqual(issue?.input, {});
      assert.match(JSON.stringify(issue?.ctx), /^\{"error":".+"\}$/);
    });
  }
});

describe("a content type", () => {
  for (const type of ["application/json", "application/vnd.api+json", "APPLICATION/JSON; charset=utf-8", ""]) {
    it(`of "${type}" is JSON`, async () => {
      const answer = await app.send("POST", REGISTER, {
        headers: type === "" ? {} : { "content-type": type },
        body: JSON.stringify({ ...AGENT, agentName: `type ${type}` }),
      });
      assert.equal(answer.status, 201, answer.text);
    });
  }
});

test("a registration: each field, in declaration order, with what was sent", async () => {
  const empty = {};
  assertIssues(
    await app.post(REGISTER, empty),
    ["agentName", "version", "contactEndpoint"].map((name) => ({
      type: "missing",
      loc: ["body", name],
      msg: "Field required",
      input: empty,
    })),
  );
  const wrong = {
    contactEndpoint: 5,
    metadata: { description: 1, config: [] },
    agentName: null,
    capabilities: ["a", 1, null],
    version: 1.5,
  };
  const string = (loc: unknown[], input: unknown) => ({
    type: "string_type",
    loc: ["body", ...loc],
    msg: "Input should be a valid string",
    input,
  });
  assertIssues(await app.post(REGISTER, wrong), [
    string(["agentName"], null),
    string(["capabilities", 1], 1),
    string(["capabilities", 2], null),
    string(["version"], 1.5),
    { type: "url_type", loc: ["body", "contactEndpoint"], msg: "URL input should be a string or URL", input: 5 },
    string(["metadata", "description"], 1),
    { type: "dict_type", loc: ["body", "metadata", "config"], msg: "Input should be a valid dictionary", input: [] },
  ]);
  assertIssues(await app.post(REGISTER, { ...AGENT, capabilities: null, metadata: "m" }), [
    { type: "list_type", loc: ["body", "capabilities"], msg: "Input should be a valid list", input: null },
    {
      type: "model_attributes_type",
      loc: ["body", "metadata"],
      msg: "Input should be a valid dictionary or object to extract fields from",
      input: "m",
    },
  ]);
});

describe("an endpoint", () => {
  const loc = ["body", "contactEndpoint"];
  const parsing = (input: string, error: string) => ({
    type: "url_parsing",
    loc,
    msg: `Input should be a valid URL, ${error}`,
    input,
    ctx: { error },
  });
  const rows: [string, object][] = [
    ["not-a-url", parsing("not-a-url", "relative URL without a base")],
    ["", parsing("", "input is empty")],
    ["http://", parsing("http://", "empty host")],
    ["http://h:99999/", parsing("http://h:99999/", "invalid port number")],
    ["http://ex ample/", parsing("http://ex ample/", "invalid international domain name")],
    [
      "ftp://h/",
      {
        type: "url_scheme",
        loc,
        msg: "URL scheme should be 'http' or 'https'",
        input: "ftp://h/",
        ctx: { expected_schemes: "'http' or 'https'" },
      },
    ],
    [
      `http://h/${"a".repeat(2083)}`,
      {
        type: "url_too_long",
        loc,
        msg: "URL should have at most 2083 characters",
        input: `http://h/${"a".repeat(2083)}`,
        ctx: { max_length: 2083 },
      },
    ],
  ];
  for (const [contactEndpoint, issue] of rows) {
    it(`of ${contactEndpoint.slice(0, 20)} is refused at AgentKit and at Ops-Core`, async () => {
      assertIssues(await app.post(REGISTER, { ...AGENT, contactEndpoint }), [issue]);
      const body = { event_type: "REGISTER", agent_details: { ...DETAILS, contactEndpoint } };
      assertIssues(await app.post(NOTIFY, body), [{ ...issue, loc: ["body", "agent_details", "contactEndpoint"] }]);
    });
  }
});

test("a message: its fields and its time; a body that is wrong comes before an agent that is unknown", async () => {
  assertIssues(
    await app.post(RUN, {}),
    ["senderId", "messageType", "payload"].map((name) => ({
      type: "missing",
      loc: ["body", name],
      msg: "Field required",
      input: {},
    })),
  );
  const time = (input: unknown, type: string, error: string | null) => [
    {
      type,
      loc: ["body", "timestamp"],
      msg:
        error === null
          ? "Input should be a valid datetime"
          : `Input should be a valid datetime${type === "datetime_parsing" ? "" : " or date"}, ${error}`,
      input,
      ...(error === null ? {} : { ctx: { error } }),
    },
  ];
  const parsing = "datetime_from_date_parsing";
  for (const [timestamp, type, error] of [
    [null, "datetime_type", null],
    [{}, "datetime_type", null],
    ["soon", parsing, "input is too short"],
    ["yesterday, at noon", parsing, "invalid character in year"],
    ["2026-13-01", parsing, "month value is outside expected range of 1-12"],
    ["2026-02-30", parsing, "day value is outside expected range"],
    ["2026-01-01T00:00:00 soon", parsing, "unexpected extra characters at the end of the input"],
    [1e18, "datetime_parsing", "dates after 9999 are not supported as unix timestamps"],
  ] as const) {
    assertIssues(await app.post(RUN, { ...MESSAGE, timestamp }), time(timestamp, type, error));
  }
  assertIssues(await app.post(RUN, { ...MESSAGE, payload: null, sessionContext: 1, task_name: 2 }), [
    { type: "dict_type", loc: ["body", "payload"], msg: "Input should be a valid dictionary", input: null },
    {
      type: "model_attributes_type",
      loc: ["body", "sessionContext"],
      msg: "Input should be a valid dictionary or object to extract fields from",
      input: 1,
    },
    { type: "string_type", loc: ["body", "task_name"], msg: "Input should be a valid string", input: 2 },
  ]);
  assertDetail(await app.post(RUN, MESSAGE), 404, "Agent with ID 'nobody' not found.");
});

test("a notification: null is no list of capabilities and no metadata, as AgentKit without metadata sends it", async () => {
  assertIssues(await app.post(NOTIFY, { event_type: "REGISTER", agent_details: { ...DETAILS, metadata: null } }), [
    {
      type: "dict_type",
      loc: ["body", "agent_details", "metadata"],
      msg: "Input should be a valid dictionary",
      input: null,
    },
  ]);
  assertIssues(await app.post(NOTIFY, { event_type: 1, agent_details: { ...DETAILS, capabilities: null } }), [
    { type: "string_type", loc: ["body", "event_type"], msg: "Input should be a valid string", input: 1 },
    {
      type: "list_type",
      loc: ["body", "agent_details", "capabilities"],
      msg: "Input should be a valid list",
      input: null,
    },
  ]);
  assertIssues(await app.post(NOTIFY, { event_type: "REGISTER" }), [
    { type: "missing", loc: ["body", "agent_details"], msg: "Field required", input: { event_type: "REGISTER" } },
  ]);
});

test("a state report: three texts, and details that are an object or null", async () => {
  assertIssues(await app.post(STATE, { agentId: 1, timestamp: 1700000000, details: [] }), [
    { type: "string_type", loc: ["body", "agentId"], msg: "Input should be a valid string", input: 1 },
    { type: "string_type", loc: ["body", "timestamp"], msg: "Input should be a valid string", input: 1700000000 },
    {
      type: "missing",
      loc: ["body", "state"],
      msg: "Field required",
      input: { agentId: 1, timestamp: 1700000000, details: [] },
    },
    { type: "dict_type", loc: ["body", "details"], msg: "Input should be a valid dictionary", input: [] },
  ]);
  assertIssues(await app.post(STATE, { ...REPORT, timestamp: null }), [
    { type: "string_type", loc: ["body", "timestamp"], msg: "Input should be a valid string", input: null },
  ]);
});

test("a trigger: one of the two, not both, and a definition with what it must have", async () => {
  const value = (text: string, input: object) => [
    { type: "value_error", loc: ["body"], msg: `Value error, ${text}`, input, ctx: { error: {} } },
  ];
  const neither = { initialPayload: null, agentId: "x", context: {} };
  assertIssues(
    await app.post(WORKFLOW, neither),
    value("Either workflowDefinitionId or workflowDefinition must be provided", neither),
  );
  const both = { workflowDefinitionId: "w", workflowDefinition: { id: "w", name: "w", tasks: [] } };
  assertIssues(
    await app.post(WORKFLOW, both),
    value("Provide either workflowDefinitionId or workflowDefinition, not both", both),
  );
  const definition = { id: 1, tasks: [{}, 2] };
  assertIssues(await app.post(WORKFLOW, { workflowDefinition: definition, initialPayload: [] }), [
    {
      type: "string_type",
      loc: ["body", "workflowDefinition", "id"],
      msg: "Input should be a valid string",
      input: 1,
    },
    { type: "missing", loc: ["body", "workflowDefinition", "name"], msg: "Field required", input: definition },
    {
      type: "dict_type",
      loc: ["body", "workflowDefinition", "tasks", 1],
      msg: "Input should be a valid dictionary",
      input: 2,
    },
    { type: "dict_type", loc: ["body", "initialPayload"], msg: "Input should be a valid dictionary", input: [] },
  ]);
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type JsonValue, parseJson, stringifyJson } from "@opspawn/contract";
import { OriginalError } from "../errors.ts";
import { message, notification, registration, stateReport, trigger } from "./bodies.ts";
import { type Model, readBody } from "./schema.ts";

/** The 422 body as the wire shows it: the order of keys counts. */
function refusal(model: Model, body: JsonValue | undefined): string {
  try {
    readBody(model, body);
  } catch (error) {
    assert.ok(error instanceof OriginalError, String(error));
    assert.equal(error.status, 422);
    return JSON.stringify(error.detail);
  }
  return assert.fail("accepted");
}

const accepts = (model: Model, text: string) => stringifyJson(readBody(model, parseJson(text)) as JsonValue);

const REGISTRATION = { agentName: "a", version: "1", contactEndpoint: "http://h" };
const MESSAGE = { senderId: "s", messageType: "m", payload: {} };
const DETAILS = { agentId: "i", agentName: "a", version: "1", contactEndpoint: "http://h" };
const REPORT = { agentId: "i", timestamp: "t", state: "idle" };
const DEFINITION = { id: "w", name: "W", tasks: [] };

/** One line of the table: replaces or removes a field of a valid registration or message and names the only item. */
function item(model: Model, valid: object, change: object, expected: object) {
  const body = JSON.parse(JSON.stringify({ ...valid, ...change })) as JsonValue;
  assert.equal(refusal(model, body), JSON.stringify([expected]));
}

describe("422 items", () => {
  it("missing: loc names the field, input is the whole enclosing object", () => {
    const input = { version: "1", contactEndpoint: "http://h" };
    const expected = { type: "missing", loc: ["body", "agentName"], msg: "Field required", input };
    item(registration, REGISTRATION, { agentName: undefined }, expected);
  });

  it("missing in a nested object: input is that object", () => {
    const { agentName: _, ...input } = DETAILS;
    const loc = ["body", "agent_details", "agentName"];
    item(
      notification,
      { event_type: "R" },
      { agent_details: input },
      { type: "missing", loc, msg: "Field required", input },
    );
  });

  it("missing: an empty body and a literal null", () => {
    const expected = '[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]';
    for (const model of [registration, message, notification, stateReport, trigger]) {
      assert.equal(refusal(model, undefined), expected);
      assert.equal(refusal(model, null), expected);
    }
  });

  it("model_attributes_type: arrays, texts, numbers and raw numbers, also for nested models", () => {
    const msg = "Input should be a valid dictionary or object to extract fields from";
    for (const input of [[], "text", 5, true, parseJson("1.0")]) {
      const root = [{ type: "model_attributes_type", loc: ["body"], msg, input }];
      for (const model of [registration, message, notification, stateReport, trigger]) {
        assert.equal(refusal(model, input), JSON.stringify(root));
      }
      const loc = ["body", "metadata"];
      assert.equal(
        refusal(registration, { ...REGISTRATION, metadata: input }),
        JSON.stringify([{ type: "model_attributes_type", loc, msg, input }]),
      );
    }
    const loc = ["body", "agent_details"];
    item(
      notification,
      { event_type: "R" },
      { agent_details: null },
      { type: "model_attributes_type", loc, msg, input: null },
    );
  });

  it("string_type: never coerced, null included", () => {
    const msg = "Input should be a valid string";
    for (const input of [1, true, null, [], {}]) {
      item(
        registration,
        REGISTRATION,
        { version: input },
        { type: "string_type", loc: ["body", "version"], msg, input },
      );
    }
    const loc = ["body", "capabilities", 1];
    item(registration, REGISTRATION, { capabilities: ["a", 2, "c"] }, { type: "string_type", loc, msg, input: 2 });
  });

  it("list_type", () => {
    const msg = "Input should be a valid list";
    for (const input of [null, {}, "a", 1]) {
      const loc = ["body", "capabilities"];
      item(registration, REGISTRATION, { capabilities: input }, { type: "list_type", loc, msg, input });
    }
  });

  it("dict_type", () => {
    const msg = "Input should be a valid dictionary";
    for (const input of [null, [], "a", 1]) {
      item(message, MESSAGE, { payload: input }, { type: "dict_type", loc: ["body", "payload"], msg, input });
    }
    item(stateReport, REPORT, { details: [] }, { type: "dict_type", loc: ["body", "details"], msg, input: [] });
  });

  it("url_type, url_parsing, url_scheme and url_too_long", () => {
    const loc = ["body", "contactEndpoint"];
    const type = { type: "url_type", loc, msg: "URL input should be a string or URL", input: 5 };
    item(registration, REGISTRATION, { contactEndpoint: 5 }, type);
    const error = "relative URL without a base";
    const parsing = {
      type: "url_parsing",
      loc,
      msg: `Input should be a valid URL, ${error}`,
      input: "x",
      ctx: { error },
    };
    item(registration, REGISTRATION, { contactEndpoint: "x" }, parsing);
    const ctx = { expected_schemes: "'http' or 'https'" };
    const scheme = { type: "url_scheme", loc, msg: "URL scheme should be 'http' or 'https'", input: "ftp://h", ctx };
    item(registration, REGISTRATION, { contactEndpoint: "ftp://h" }, scheme);
    const long = `http://h/${"a".repeat(2083)}`;
    const msg = "URL should have at most 2083 characters";
    const tooLong = { type: "url_too_long", loc, msg, input: long, ctx: { max_length: 2083 } };
    item(registration, REGISTRATION, { contactEndpoint: long }, tooLong);
  });

  it("datetime_type, datetime_from_date_parsing and datetime_parsing", () => {
    const loc = ["body", "timestamp"];
    for (const input of [null, true, []]) {
      item(
        message,
        MESSAGE,
        { timestamp: input },
        { type: "datetime_type", loc, msg: "Input should be a valid datetime", input },
      );
    }
    const error = "input is too short";
    const msg = `Input should be a valid datetime or date, ${error}`;
    item(
      message,
      MESSAGE,
      { timestamp: "x" },
      { type: "datetime_from_date_parsing", loc, msg, input: "x", ctx: { error } },
    );
    const range = "dates after 9999 are not supported as unix timestamps";
    const number = { type: "datetime_parsing", loc, msg: `Input should be a valid datetime, ${range}`, input: 1e18 };
    item(message, MESSAGE, { timestamp: 1e18 }, { ...number, ctx: { error: range } });
  });

  it("value_error: the trigger's rules come before its fields, and alone", () => {
    const either = "Value error, Either workflowDefinitionId or workflowDefinition must be provided";
    const both = "Value error, Provide either workflowDefinitionId or workflowDefinition, not both";
    const error = (input: object, msg: string) => ({
      type: "value_error",
      loc: ["body"],
      msg,
      input,
      ctx: { error: {} },
    });
    const neither = { initialPayload: 5, agentId: "a" };
    item(trigger, {}, neither, error(neither, either));
    for (const [id, definition] of [
      ["w", DEFINITION],
      [5, "x"],
      [[0], true],
    ] as const) {
      const input = { workflowDefinitionId: id, workflowDefinition: definition };
      item(trigger, {}, input, error(input, both));
    }
  });

  it("all come together in declaration order, not in the body's", () => {
    const body = {
      priorities: 1,
      contactEndpoint: null,
      version: 2,
      metadata: { config: [], description: 3 },
      capabilities: [1, "b", null],
    };
    const detail = JSON.parse(refusal(registration, body)) as { loc: string[]; type: string }[];
    assert.deepEqual(
      detail.map(({ loc, type }) => `${loc.slice(1).join(".")} ${type}`),
      [
        ...["agentName missing", "capabilities.0 string_type", "capabilities.2 string_type", "version string_type"],
        ...["contactEndpoint url_type", "metadata.description string_type", "metadata.config dict_type"],
      ],
    );
  });

  it("echo numbers as they came", () => {
    assert.match(refusal(registration, parseJson('{"agentName":1.0}')), /"input":1\.0\}/);
  });

  it("stop at 1,000, so that an answer is not a hundred times its question", () => {
    const detail = JSON.parse(
      refusal(registration, { ...REGISTRATION, capabilities: new Array(100_000).fill(1) }),
    ) as [];
    assert.equal(detail.length, 1_000);
  });
});

describe("a registration", () => {
  it("fills in defaults, normalises the endpoint and drops unknown keys at every level", () => {
    assert.equal(
      accepts(registration, '{"x":1,"contactEndpoint":"http://H:80","version":"","agentName":""}'),
      '{"agentName":"","capabilities":[],"version":"","contactEndpoint":"http://h/","metadata":null}',
    );
    const metadata = '{"config":{"a":1.0},"example_type":"x"}';
    assert.match(
      accepts(registration, `{"agentName":"a","version":"1","contactEndpoint":"http://h","metadata":${metadata}}`),
      /"metadata":\{"description":null,"config":\{"a":1\.0\}\}\}$/,
    );
  });
});

describe("a message", () => {
  it("has all its keys, nulls too, and keeps the two of its session context", () => {
    const context = '{"sessionId":"s","workflowId":"w","taskId":"t"}';
    assert.equal(
      accepts(
        message,
        `{"payload":{"n":1e5},"messageType":"m","senderId":"s","sessionContext":${context},"parameters":{}}`,
      ),
      '{"senderId":"s","messageType":"m","payload":{"n":1e5},"sessionContext":{"sessionId":"s","priorMessages":[]},' +
        '"task_name":null,"opscore_session_id":null,"opscore_task_id":null}',
    );
  });

  it("tells prior messages that are null from none", () => {
    const given = readBody(message, { ...MESSAGE, sessionContext: { priorMessages: null } });
    assert.deepEqual(given.sessionContext, { sessionId: null, priorMessages: null });
    assert.equal(readBody(message, MESSAGE).sessionContext, null);
  });

  it("leaves an absent timestamp to the caller", () => {
    assert.equal(readBody(message, MESSAGE).timestamp, undefined);
    assert.deepEqual(readBody(message, { ...MESSAGE, timestamp: 1 }).timestamp, { local: 1, micros: 0, offset: 0 });
  });
});

describe("a notification", () => {
  it("keeps metadata free and refuses it as null, as AgentKit without metadata sends it", () => {
    const details = { ...DETAILS, metadata: { any: [1] }, registration_time: "2026-11-20T23:58:08.842560Z" };
    const read = readBody(notification, { event_type: "REGISTER", agent_details: details });
    assert.deepEqual(read.agent_details.metadata, { any: [1] });
    assert.equal(read.agent_details.registration_time, "2026-11-20T23:58:08.842560Z");
    const bare = readBody(notification, { event_type: "", agent_details: DETAILS });
    assert.deepEqual(bare.agent_details, { ...DETAILS, contactEndpoint: "http://h/", capabilities: [], metadata: {} });
    for (const key of ["metadata", "capabilities"]) {
      assert.match(
        refusal(notification, { event_type: "R", agent_details: { ...DETAILS, [key]: null } }),
        /(dict|list)_type/,
      );
    }
  });
});

describe("a state report", () => {
  it("takes any text as state and timestamp, and details of any shape or none", () => {
    const text = '{"agentId":"","timestamp":"","state":"","details":{"n":12345678901234567890}}';
    assert.equal(accepts(stateReport, text), text);
    assert.equal(readBody(stateReport, REPORT).details, null);
    assert.equal(readBody(stateReport, { ...REPORT, details: null }).details, null);
    assert.match(refusal(stateReport, { ...REPORT, timestamp: null }), /string_type/);
    assert.match(refusal(stateReport, { ...REPORT, timestamp: 1700000000 }), /string_type/);
  });
});

describe("a trigger", () => {
  it("accepts one of the two, null or empty ones beside it, and null payloads", () => {
    for (const empty of [null, ""]) {
      const read = readBody(trigger, {
        workflowDefinitionId: empty,
        workflowDefinition: DEFINITION,
        initialPayload: null,
      });
      assert.equal(read.workflowDefinition?.id, "w");
      assert.equal(read.initialPayload, null);
    }
    assert.equal(readBody(trigger, { workflowDefinitionId: "w", workflowDefinition: null }).workflowDefinitionId, "w");
    for (const body of [{ workflowDefinitionId: null }, { workflowDefinition: null }, { workflowDefinitionId: "" }]) {
      const read = readBody(trigger, body);
      assert.deepEqual([read.workflowDefinitionId || null, read.workflowDefinition], [null, null]);
    }
  });

  it("judges truth as Python does: empty and zero are false, whatever the type", () => {
    for (const falsy of ["0", "0.0", "-0", "0e5", "false", '""', "[]", "{}", "null"]) {
      const body = parseJson(`{"workflowDefinitionId":"w","workflowDefinition":${falsy}}`);
      const outcome = falsy === "null" ? accepts(trigger, stringifyJson(body)) : refusal(trigger, body);
      assert.doesNotMatch(outcome, /value_error/, falsy);
    }
  });

  it("keeps what a definition says beyond the originals, and fills in what they did", () => {
    const definition = { ...DEFINITION, onFailure: "continue", tasks: [{ taskId: "t", retry: {} }] };
    const read = readBody(trigger, { workflowDefinition: definition });
    assert.deepEqual(read.workflowDefinition, { ...definition, description: null, version: "1.0" });
  });

  it("names what an inline definition lacks", () => {
    const detail = JSON.parse(refusal(trigger, { workflowDefinition: { tasks: [{}, 1] } })) as {
      loc: unknown[];
      type: string;
    }[];
    assert.deepEqual(
      detail.map(({ loc, type }) => `${loc.slice(2).join(".")} ${type}`),
      ["id missing", "name missing", "tasks.1 dict_type"],
    );
  });
});

import {
  ERRORS,
  type ErrorCode,
  type JsonObject,
  type Operation,
  operations,
  type Permission,
  type Streamed,
} from "@opspawn/contract";
import { z } from "zod";
import { STREAM_TYPE } from "./event-stream-writer.ts";
import { BODY_EXAMPLES, PARAMETER_EXAMPLES } from "./openapi-examples.ts";
import { ORIGINAL_TAGS, originalPaths } from "./originals/documentation.ts";
import { workflowSchemaPath } from "./workflow-schema-route.ts";

export interface OpenApiOptions {
  readonly version: string;
  /** Where the API is reached. */
  readonly url: string;
}

/** What any operation may answer. */
const ANY_ERRORS: readonly ErrorCode[] = [
  "invalid_request",
  "unauthenticated",
  "forbidden",
  "rate_limited",
  "overloaded",
  "internal",
];
const BODY_ERRORS: readonly ErrorCode[] = ["json_invalid", "body_too_large", "too_deep", "invalid_text"];
const KEY_ERRORS: readonly ErrorCode[] = ["idempotency_key_reused"];
const STREAM_ERRORS: readonly ErrorCode[] = ["too_many_streams", "shutting_down"];
const WRITE_ERRORS: readonly ErrorCode[] = ["unavailable", "shutting_down", "storage_full"];

const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];
const REQUEST_ID = "01890a5d-ac96-774b-bcce-b302099a805c";

/** The OpenAPI 3.1 document of every operation, made from the declarations that serve it. */
export function openApi({ version, url }: OpenApiOptions): JsonObject {
  const paths: Record<string, JsonObject> = originalPaths((permission) => accessOf(permission));
  for (const [noun, verbs] of Object.entries(operations)) {
    for (const operation of Object.values(verbs as Record<string, Operation>)) {
      const path = paths[operation.path] ?? {};
      paths[operation.path] = { ...path, [operation.method.toLowerCase()]: describe(noun, operation) };
    }
  }
  return {
    openapi: "3.1.0",
    info: { title: "Opspawn", version, description: "Runs fleets of AI agents.", license: { name: "Apache-2.0" } },
    // First the address the document was read from: the page that shows it may call no other.
    servers: [{ url: "/" }, { url, description: "Where agents reach it" }],
    tags: [...Object.keys(operations), ...ORIGINAL_TAGS].map((name) => ({ name })),
    paths: { ...paths, ...workflowSchemaPath() },
    components: {
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "A key: `opk_<id>_<secret>`." } },
      schemas: { Error: errorSchema() },
      examples: Object.fromEntries(ERROR_CODES.map((code) => [code, errorExample(code)])),
      headers: {
        "x-request-id": { description: "Names this request in the log.", schema: { type: "string" } },
        "x-error-code": { description: "The error's code.", schema: { type: "string" } },
      },
    },
  };
}

function describe(noun: string, operation: Operation): JsonObject {
  const { id, summary, body, idempotency, permission } = operation;
  const described: JsonObject = {
    operationId: id,
    summary,
    ...accessOf(permission, idempotencyText(idempotency)),
    tags: [noun],
    parameters: parametersOf(operation),
    responses: responsesOf(operation),
  };
  if (body === undefined) return described;
  const example = BODY_EXAMPLES[id];
  const content = { schema: schemaOf(body, "input"), ...(example === undefined ? {} : { example }) };
  const required = !body.safeParse(undefined).success;
  return { ...described, requestBody: { required, content: { "application/json": content } } };
}

function accessOf(permission: Permission, more = ""): JsonObject {
  return {
    description: `Scope: \`${permission.scope}\`.${accessText(permission)}${more}`,
    security: permission.anonymous || permission.token ? [{ key: [] }, {}] : [{ key: [] }],
  };
}

function accessText({ agent, anonymous, token }: Permission): string {
  const texts = [];
  if (agent === "self") texts.push("An agent's own key may do this for that agent.");
  if (agent === "any") texts.push("Any agent's own key may do this.");
  if (token === true) texts.push("The token in the body is a sufficient credential.");
  if (anonymous !== undefined) texts.push("Needs no key on a server bound to a loopback address.");
  return texts.map((text) => ` ${text}`).join("");
}

function idempotencyText(idempotency: Operation["idempotency"]): string {
  if (idempotency === "key") return " Repeating it with the same `Idempotency-Key` answers the same for 24 h.";
  return idempotency === "natural" ? " Repeating it changes nothing more." : "";
}

function parametersOf({ params, query, stream, idempotency }: Operation): JsonObject[] {
  const page = fieldsOf(query, "query");
  const parameters = [...fieldsOf(params, "path"), ...page, ...ofStreamOnly(stream, page)];
  if (idempotency !== "key") return parameters;
  const schema = { type: "string", minLength: 1, maxLength: 255 };
  return [...parameters, { name: "Idempotency-Key", in: "header", required: false, schema }];
}

/** What only a stream takes. */
function ofStreamOnly(stream: Streamed | undefined, page: readonly JsonObject[]): JsonObject[] {
  if (stream === undefined) return [];
  const known = new Set(page.map(({ name }) => name));
  const description = "Of a stream: the `id` of the last event that was received; those after it follow.";
  const header = { name: "Last-Event-ID", in: "header", required: false, description, schema: { type: "string" } };
  const more = fieldsOf(stream.query, "query").filter(({ name }) => !known.has(name));
  return [...more.map((field) => ({ ...field, description })), header];
}

function fieldsOf(fields: z.ZodObject | undefined, place: "path" | "query"): JsonObject[] {
  if (fields === undefined) return [];
  const schema = schemaOf(fields, "input");
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties as JsonObject).map(([name, property]): JsonObject => {
    const example = place === "path" ? PARAMETER_EXAMPLES[name] : undefined;
    const isRequired = place === "path" || required.includes(name);
    return { name, in: place, required: isRequired, schema: property, ...(example === undefined ? {} : { example }) };
  });
}

function responsesOf(operation: Operation): JsonObject {
  const responses: JsonObject = {
    [operation.status]: {
      description: "Done.",
      headers: { "x-request-id": { $ref: "#/components/headers/x-request-id" } },
      content: { "application/json": { schema: schemaOf(operation.output, "output") }, ...streamOf(operation) },
    },
    ...(operation.stream === undefined ? {} : { 204: { description: TOLD_WHOLE } }),
  };
  for (const [status, codes] of Map.groupBy(errorsOf(operation), (code) => ERRORS[code].status)) {
    responses[status] = errorResponse(codes);
  }
  return responses;
}

const TOLD_WHOLE = "Of a stream: all of it was received before, and nothing can follow.";
const STREAM_TEXT = [
  "Server-sent events, when `accept` names this type. Each fact is a message whose `id` goes into `Last-Event-ID` and",
  "whose `data` is JSON of the form `x-message`. `event: reset` with `{reason}` (`expired`, `foreign`) says that the place",
  "asked for is lost and everything kept follows; `event: end` with `{status}` that nothing follows any more.",
].join(" ");

/** Its other form; OpenAPI has no words for what messages hold. */
function streamOf({ stream }: Operation): JsonObject {
  if (stream === undefined) return {};
  const message = schemaOf(stream.message, "output");
  return { [STREAM_TYPE]: { schema: { type: "string", description: STREAM_TEXT }, "x-message": message } };
}

/** Every code the operation may answer, once. */
function errorsOf({ errors, body, stream, idempotency }: Operation): ErrorCode[] {
  return [
    ...new Set([
      ...errors,
      ...ANY_ERRORS,
      ...(body === undefined ? [] : BODY_ERRORS),
      ...(idempotency === "key" ? KEY_ERRORS : []),
      ...(idempotency === "read" ? [] : WRITE_ERRORS),
      ...(stream === undefined ? [] : STREAM_ERRORS),
    ]),
  ];
}

function errorResponse(codes: readonly ErrorCode[]): JsonObject {
  const examples = codes.map((code) => [code, { $ref: `#/components/examples/${code}` }] as const);
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].help}`).join("\n\n"),
    headers: { "x-error-code": { $ref: "#/components/headers/x-error-code" } },
    content: {
      "application/json": { schema: { $ref: "#/components/schemas/Error" }, examples: Object.fromEntries(examples) },
    },
  };
}

function errorExample(code: ErrorCode): JsonObject {
  const { status, help } = ERRORS[code];
  const detail = status === 422 ? [{ loc: ["body"], msg: help, type: code }] : help;
  return { value: { detail, code, requestId: REQUEST_ID } };
}

function errorSchema(): JsonObject {
  const issue = {
    type: "object",
    required: ["loc", "msg", "type"],
    properties: {
      loc: { type: "array", items: { type: ["string", "integer"] } },
      msg: { type: "string" },
      type: { type: "string" },
    },
  };
  return {
    type: "object",
    required: ["detail", "code", "requestId"],
    properties: {
      detail: { oneOf: [{ type: "string" }, { type: "array", items: issue }] },
      code: { enum: ERROR_CODES },
      requestId: { type: "string" },
      cancellation: {
        type: "object",
        description: "Of a `lease_lost`: the cancellation of the attempt, if there is one.",
      },
    },
  };
}

/** The JSON Schema of a declared part; what a hand-written check accepts is any JSON. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): JsonObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonObject;
  return rest;
}

import { type JsonObject, type OriginalOperation, originalOperations } from "@opspawn/contract";
import { message, notification, registration, stateReport, trigger } from "./bodies.ts";
import { MAX_URL_BYTES } from "./endpoint-url.ts";
import { ORIGINAL_EXAMPLES } from "./examples.ts";
import type { Model, Schema } from "./schema.ts";

type Name = keyof typeof originalOperations;

const BODIES: Partial<Record<Name, Model>> = {
  register: registration,
  run: message,
  notify: notification,
  reportState: stateReport,
  trigger,
};

/** What an OpenAPI document says of the originals' routes, by path and method. */
export function originalPaths(describeAccess: (permission: OriginalOperation["permission"]) => JsonObject): {
  readonly [path: string]: { readonly [method: string]: JsonObject };
} {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [name, operation] of Object.entries(originalOperations) as [Name, OriginalOperation][]) {
    const path = paths[operation.path] ?? {};
    paths[operation.path] = path;
    path[operation.method.toLowerCase()] = { ...describe(name, operation), ...describeAccess(operation.permission) };
  }
  return paths;
}

/** A tag for each of the two programs. */
export const ORIGINAL_TAGS = ["AgentKit", "Ops-Core"] as const;

function describe(name: Name, { summary, path }: OriginalOperation): JsonObject {
  const { request, status, response, refusals } = ORIGINAL_EXAMPLES[name];
  const body = BODIES[name];
  const [tag] = ORIGINAL_TAGS.filter((each) => summary.startsWith(each));
  const content = body === undefined ? {} : { schema: schemaOf(body), ...(request && { example: request }) };
  return {
    operationId: `originals.${name}`,
    summary,
    tags: [tag ?? ORIGINAL_TAGS[0]],
    parameters: path.includes("{agentId}") ? [AGENT_ID] : [],
    ...(body === undefined ? {} : { requestBody: { required: true, content: { "application/json": content } } }),
    responses: {
      [status]: {
        description: "Done.",
        content: { "application/json": { schema: { type: "object" }, example: response } },
      },
      ...(body === undefined
        ? {}
        : { 422: { description: "The body is wrong: one item for each place.", content: ITEMS } }),
      ...Object.fromEntries(Object.entries(refusals).map(([code, detail]) => [code, refusal(detail)])),
    },
  };
}

const AGENT_ID: JsonObject = {
  name: "agentId",
  in: "path",
  required: true,
  schema: { type: "string" },
  example: "01890a5d-ac96-774b-bcce-b302099a8057",
};

const ITEM: JsonObject = {
  type: "object",
  required: ["type", "loc", "msg", "input"],
  properties: {
    type: { type: "string" },
    loc: { type: "array", items: { type: ["string", "integer"] } },
    msg: { type: "string" },
    input: {},
    ctx: { type: "object" },
  },
};
const ITEMS: JsonObject = {
  "application/json": {
    schema: { type: "object", required: ["detail"], properties: { detail: { type: "array", items: ITEM } } },
    example: { detail: [{ type: "missing", loc: ["body", "version"], msg: "Field required", input: {} }] },
  },
};

function refusal(detail: string): JsonObject {
  const schema = { type: "object", required: ["detail"], properties: { detail: { type: "string" } } };
  return { description: "Refused.", content: { "application/json": { schema, example: { detail } } } };
}

/** JSON Schema of what a route's validator takes. */
function schemaOf(schema: Schema): JsonObject {
  switch (schema.kind) {
    case "string":
      return { type: "string" };
    case "dict":
      return { type: "object" };
    case "url":
      return { type: "string", format: "uri", maxLength: MAX_URL_BYTES };
    case "datetime":
      return { type: ["string", "number"], description: "ISO 8601 with or without offset, or unix seconds." };
    case "nullable":
      return { anyOf: [schemaOf(schema.of), { type: "null" }] };
    case "list":
      return { type: "array", items: schemaOf(schema.of) };
    case "model": {
      const fields = Object.entries(schema.fields);
      return {
        type: "object",
        required: fields.filter(([, field]) => field.absent === undefined).map(([name]) => name),
        properties: Object.fromEntries(fields.map(([name, field]) => [name, schemaOf(field.schema)])),
      };
    }
  }
}

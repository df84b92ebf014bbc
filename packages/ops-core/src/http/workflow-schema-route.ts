import { createHash } from "node:crypto";
import { type JsonObject, stringifyJson } from "@opspawn/contract";
import type { FastifyInstance } from "fastify";
import { editorSchema } from "../domain/workflows/editor-schema.ts";

const PATH = "/v1/opscore/workflow-schema";
const TYPE = "application/schema+json";

/** The JSON Schema of workflow definitions. It is as public as the documentation: an editor that asks has no key. */
export function addWorkflowSchemaRoute(app: FastifyInstance): void {
  let made: Tagged | undefined;
  app.get(PATH, (request, reply) => {
    made ??= tagged(stringifyJson(editorSchema()));
    reply.header("cache-control", "public, max-age=3600").header("etag", made.tag);
    if (request.headers["if-none-match"] === made.tag) return reply.code(304).send();
    return reply.type(TYPE).send(made.bytes);
  });
}

interface Tagged {
  /** Bytes: to a text the framework would add a charset, which this type has not. */
  readonly bytes: Buffer;
  readonly tag: string;
}

function tagged(text: string): Tagged {
  const hash = createHash("sha256").update(text).digest("base64url");
  return { bytes: Buffer.from(text), tag: `"${hash.slice(0, 22)}"` };
}

/** What an OpenAPI document says of it. */
export function workflowSchemaPath(): Readonly<Record<string, JsonObject>> {
  const get: JsonObject = {
    operationId: "workflows.schema",
    summary: "The JSON Schema of workflow definitions, for editors.",
    description: "Needs no key. May be kept for an hour, and asked for again with `if-none-match`.",
    security: [{}],
    tags: ["workflows"],
    parameters: [],
    responses: {
      200: {
        description: "Done.",
        headers: { etag: { description: "Names this version of it.", schema: { type: "string" } } },
        content: { [TYPE]: { schema: { type: "object" } } },
      },
      304: { description: "It is still the one you have." },
    },
  };
  return { [PATH]: { get } };
}

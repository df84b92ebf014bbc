import { z } from "zod";
import { operation } from "../operation.ts";
import { jsonObject, listOf, name, page, time } from "./common.ts";

const tool = z.object({
  name,
  description: z.string(),
  parameters: jsonObject,
  type: z.enum(["external", "local"]),
  endpoint: z.string().nullable(),
  /** Calls of workflows' tasks that it is given at once. */
  maxConcurrency: z.number().int(),
  registeredAt: time,
});
export type ToolView = z.infer<typeof tool>;

export const toolOperations = {
  register: operation({
    id: "tools.register",
    summary: "Register an external HTTP tool.",
    method: "POST",
    path: "/v1/tools",
    body: z.strictObject({
      name,
      description: z.string().max(10_000).default(""),
      parameters: jsonObject.default({}),
      endpoint: z.string().max(2083),
      /** Calls of workflows' tasks that it is given at once; the others wait. */
      maxConcurrency: z.number().int().min(1).max(1000).default(10),
    }),
    output: tool,
    status: 201,
    errors: ["tool_name_taken", "endpoint_refused"],
    permission: { scope: "tools:write" },
    idempotency: "key",
  }),
  list: operation({
    id: "tools.list",
    summary: "List tools, by name.",
    method: "GET",
    path: "/v1/tools",
    query: z.object(page),
    output: listOf(tool),
    permission: { scope: "tools:read", agent: "any", anonymous: "loopback" },
    idempotency: "read",
  }),
  remove: operation({
    id: "tools.remove",
    summary: "Remove an external tool.",
    method: "DELETE",
    path: "/v1/tools/{name}",
    params: z.object({ name }),
    output: z.object({ name }),
    errors: ["tool_not_found"],
    permission: { scope: "tools:write" },
    idempotency: "natural",
  }),
};

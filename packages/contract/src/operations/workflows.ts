import { z } from "zod";
import { operation } from "../operation.ts";
import { jsonObject, listOf, page, time } from "./common.ts";

const warning = z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string(), type: z.string() });

const workflow = z.object({
  id: z.string(),
  version: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  steps: z.number().int(),
  appliedAt: time,
});
export type WorkflowView = z.infer<typeof workflow>;

/** A definition as an object, or as JSON or YAML text. */
const definitionBody = z.strictObject({
  definition: z.union([jsonObject, z.string().max(262_144)]),
});

const workflowParams = z.object({ workflowId: z.string().min(1).max(200) });

export const workflowOperations = {
  apply: operation({
    id: "workflows.apply",
    summary: "Save a definition; the same version with another body is refused.",
    method: "POST",
    path: "/v1/opscore/workflows",
    body: definitionBody,
    output: z.object({ workflow, created: z.boolean(), warnings: z.array(warning) }),
    errors: ["workflow_invalid", "workflow_version_exists"],
    permission: { scope: "workflows:write" },
    idempotency: "natural",
  }),
  validate: operation({
    id: "workflows.validate",
    summary: "Check a definition whole, without saving it.",
    method: "POST",
    path: "/v1/opscore/workflows/validate",
    body: definitionBody,
    output: z.object({ valid: z.literal(true), warnings: z.array(warning) }),
    errors: ["workflow_invalid"],
    permission: { scope: "workflows:read" },
    idempotency: "read",
  }),
  list: operation({
    id: "workflows.list",
    summary: "List workflows, each in the version most recently applied.",
    method: "GET",
    path: "/v1/opscore/workflows",
    query: z.object(page),
    output: listOf(workflow),
    permission: { scope: "workflows:read" },
    idempotency: "read",
  }),
  get: operation({
    id: "workflows.get",
    summary: "A workflow's definition, in the version asked for or the one most recently applied.",
    method: "GET",
    path: "/v1/opscore/workflows/{workflowId}",
    params: workflowParams,
    query: z.object({ version: z.string().max(100).optional() }),
    output: workflow.extend({ definition: jsonObject }),
    errors: ["workflow_not_found"],
    permission: { scope: "workflows:read" },
    idempotency: "read",
  }),
  versions: operation({
    id: "workflows.versions",
    summary: "The versions of a workflow, most recently applied first.",
    method: "GET",
    path: "/v1/opscore/workflows/{workflowId}/versions",
    params: workflowParams,
    query: z.object(page),
    output: listOf(workflow),
    errors: ["workflow_not_found"],
    permission: { scope: "workflows:read" },
    idempotency: "read",
  }),
};

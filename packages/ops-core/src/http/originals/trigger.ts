import { type JsonObject, OpspawnError } from "@opspawn/contract";
import { idempotencyOf } from "../../domain/idempotency.ts";
import type { Ports } from "../../domain/ports.ts";
import { startSession, type WorkflowSource } from "../../domain/sessions/start.ts";
import { OriginalError } from "../errors.ts";
import { trigger } from "./bodies.ts";
import type { OriginalAnswer, OriginalRequest } from "./route.ts";
import { readBody } from "./schema.ts";

/** Starts a workflow for the agent in the path: by id, or from a definition that comes with the request. */
export async function triggerWorkflow(
  ports: Ports,
  { context, agentId, body }: OriginalRequest,
): Promise<OriginalAnswer> {
  const { workflowDefinitionId: id, workflowDefinition: definition, initialPayload: input } = readBody(trigger, body);
  const source = sourceOf(id, definition as JsonObject | null);
  try {
    const { session, replayed } = await startSession(ports, {
      source,
      input,
      inputLoc: ["body", "initialPayload"],
      agentId,
      labels: {},
      delay: 0,
      callbackUrl: null,
      idempotency: idempotencyOf(context, "workflows.trigger", { agentId, id, definition, input }),
    });
    context.replayed = replayed;
    const plan = await ports.plans.stored(session.planHash);
    const message =
      plan.steps.length === 0 ? "Workflow triggered but has no tasks." : "Workflow triggered successfully";
    return { status: 202, body: { sessionId: session.id, workflowId: session.workflowId, message } };
  } catch (error) {
    throw definitionError(error);
  }
}

function sourceOf(id: string | null, definition: JsonObject | null): WorkflowSource {
  if (id !== null && id !== "") return { kind: "saved", id };
  if (definition === null) {
    throw new OriginalError("invalid_request", 400, "Missing workflowDefinitionId or workflowDefinition");
  }
  if (definition.id === "") {
    throw new OriginalError("workflow_invalid", 500, "Internal error resolving workflow definition.");
  }
  return { kind: "inline", document: definition, loc: ["body", "workflowDefinition"], mode: "original", save: true };
}

/** Everything that is wrong with a definition, in the one text these clients show. */
function definitionError(error: unknown): unknown {
  if (!(error instanceof OpspawnError) || error.code !== "workflow_invalid") return error;
  const places = (error.issues ?? []).map(({ loc, msg }) => `${loc.slice(2).join(".")}: ${msg}`);
  const text = places.length > 0 ? places.join("; ") : error.message;
  return new OriginalError("workflow_invalid", 400, `Workflow definition error: ${text}`);
}

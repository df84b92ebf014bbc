import { formatTime, type JsonObject, OpspawnError, type WorkflowView } from "@opspawn/contract";
import { readStored } from "../stored-json.ts";
import type { StoredWorkflow } from "./stored.ts";

export function workflowView(workflow: StoredWorkflow): WorkflowView {
  const { id, version, name, description, steps, appliedAt } = workflow;
  return { id, version, name, description, steps, appliedAt: formatTime(appliedAt) };
}

export function definitionOf(workflow: StoredWorkflow): JsonObject {
  return readStored(workflow.document) as JsonObject;
}

export function workflowNotFound(id: string, version?: string): OpspawnError {
  const which = version === undefined ? id : `${id} version ${version}`;
  return new OpspawnError("workflow_not_found", `Workflow definition not found: ${which}`);
}

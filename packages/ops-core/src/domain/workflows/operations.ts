import { type Issue, OpspawnError } from "@opspawn/contract";
import type { NounHandlers, Ports } from "../ports.ts";
import { type Definition, readDefinition } from "./definition.ts";
import { describeDifference } from "./difference.ts";
import type { StoredWorkflow } from "./stored.ts";
import { unserved } from "./unserved.ts";
import { definitionOf, workflowNotFound, workflowView } from "./view.ts";

const LOC = ["body", "definition"];

export function workflowHandlers({ store, clock }: Ports): NounHandlers<"workflows"> {
  return {
    async apply(_context, { body }) {
      const definition = readDefinition(body.definition, LOC);
      const stored = toStored(definition, clock.now());
      const { created, appliedAt } = await applied(stored, definition);
      return { workflow: workflowView({ ...stored, appliedAt }), created, warnings: await warningsOf(definition) };
    },
    async validate(_context, { body }) {
      return { valid: true, warnings: await warningsOf(readDefinition(body.definition, LOC)) };
    },
    async list(_context, { query }) {
      const { items, nextCursor } = await store.workflows.list(query);
      return { items: items.map(workflowView), nextCursor };
    },
    async get(_context, { params, query }) {
      const workflow = await store.workflows.get(params.workflowId, query.version);
      if (workflow === null) throw workflowNotFound(params.workflowId, query.version);
      return { ...workflowView(workflow), definition: definitionOf(workflow) };
    },
    async versions(_context, { params, query }) {
      const { items, nextCursor } = await store.workflows.versions(params.workflowId, query);
      if (items.length === 0 && query.cursor === undefined) throw workflowNotFound(params.workflowId);
      return { items: items.map(workflowView), nextCursor };
    },
  };

  /** What the definition says that has no effect, and what it wants that is not there. */
  async function warningsOf({ plan, document, warnings }: Definition) {
    const missing = await unserved(store, plan, document);
    return [...warnings, ...missing.map((issue) => ({ ...issue, loc: [...LOC, ...issue.loc] }))].map(toWarning);
  }

  async function applied(stored: StoredWorkflow, definition: Definition) {
    try {
      return await store.workflows.apply(stored);
    } catch (error) {
      if (!(error instanceof OpspawnError) || error.code !== "workflow_version_exists") throw error;
      const known = await store.workflows.get(stored.id, stored.version);
      if (known === null) throw error;
      const difference = describeDifference(definitionOf(known), definition.document);
      throw new OpspawnError(error.code, `${error.message} ${difference}.`, { cause: error });
    }
  }
}

function toStored({ plan, hash, text }: Definition, appliedAt: number): StoredWorkflow {
  const { id, version, name, description, steps } = plan;
  return { id, version, name, description, steps: steps.length, hash, document: text, appliedAt };
}

function toWarning({ loc, msg, type }: Issue) {
  return { loc: [...loc], msg, type };
}

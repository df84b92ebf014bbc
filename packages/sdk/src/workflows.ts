import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { apply, validate, list, get, versions } = operations.workflows;

/** A definition as an object, or as JSON or YAML text. */
export type WorkflowDefinition = OperationRequest<typeof apply>["body"]["definition"];
type WorkflowQuery = OperationRequest<typeof list>["query"];

/** Definitions. */
export class Workflows {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Saves a definition; the same version with another body is refused. */
  apply(definition: WorkflowDefinition, options?: CallOptions) {
    return this.#transport.call(apply, { body: { definition } }, options);
  }

  /** Checks a definition whole, without saving it; a bad one throws `workflow_invalid` with every path. */
  validate(definition: WorkflowDefinition, options?: CallOptions) {
    return this.#transport.call(validate, { body: { definition } }, options);
  }

  /** One page, each workflow in the version most recently applied. */
  list(query: WorkflowQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  listAll(query: WorkflowQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  /** The definition, in the version asked for or the one most recently applied. */
  get(workflowId: string, query: { version?: string | undefined } = {}, options?: CallOptions) {
    return this.#transport.call(get, { params: { workflowId }, query }, options);
  }

  /** One page of a workflow's versions, most recently applied first. */
  versions(workflowId: string, query: WorkflowQuery = {}, options?: CallOptions) {
    return this.#transport.call(versions, { params: { workflowId }, query }, options);
  }

  versionsAll(workflowId: string, query: WorkflowQuery = {}, options?: CallOptions) {
    const pageOf = (cursor: string | undefined) =>
      this.versions(workflowId, { limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options);
    return allItems(pageOf);
  }
}

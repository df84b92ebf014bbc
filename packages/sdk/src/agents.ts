import { formatTime, type JsonValue, type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, KeyedCallOptions, Transport } from "./transport.ts";

const { register, list, get, remove, quarantine, readmit, states, claim } = operations.agents;

export type AgentRegistration = OperationRequest<typeof register>["body"];
export type AgentQuery = OperationRequest<typeof list>["query"];
export type ClaimRequest = OperationRequest<typeof claim>["body"];
type StatesQuery = OperationRequest<typeof states>["query"];

export interface StateReport {
  /** `initializing idle active error finished`, or a word of your own. */
  readonly state: string;
  readonly details?: JsonValue | undefined;
  /** ISO 8601. Default: now. */
  readonly timestamp?: string | undefined;
}

/** What does the tasks. */
export class Agents {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Registers an agent; `agentKey` of the answer can speak for this agent alone. */
  register(body: AgentRegistration, options?: KeyedCallOptions) {
    return this.#transport.call(register, { body }, options);
  }

  /** One page, by name. */
  list(query: AgentQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  /** All pages, by name. */
  listAll(query: AgentQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  get(agentId: string, options?: CallOptions) {
    return this.#transport.call(get, { params: { agentId } }, options);
  }

  /** Deregisters an agent; its open tasks go to another capable agent or fail with `agent_gone`. */
  remove(agentId: string, options?: CallOptions) {
    return this.#transport.call(remove, { params: { agentId } }, options);
  }

  /** Gives the agent no work until somebody readmits it. */
  quarantine(agentId: string, reason: string | null = null, options?: CallOptions) {
    return this.#transport.call(quarantine, { params: { agentId }, body: { reason } }, options);
  }

  /** Ends its quarantine and forgets its failures. */
  readmit(agentId: string, options?: CallOptions) {
    return this.#transport.call(readmit, { params: { agentId } }, options);
  }

  /** One page of the agent's reports, newest first. */
  states(agentId: string, query: StatesQuery = {}, options?: CallOptions) {
    return this.#transport.call(states, { params: { agentId }, query }, options);
  }

  /** All pages of the agent's reports, newest first. */
  statesAll(agentId: string, query: StatesQuery = {}, options?: CallOptions) {
    const pageOf = (cursor: string | undefined) =>
      this.states(agentId, { limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options);
    return allItems(pageOf);
  }

  /** Pull: up to `max` tasks, waiting up to `wait` for the first. `work` does this in a loop. */
  claim(agentId: string, body: ClaimRequest = {}, options?: CallOptions) {
    return this.#transport.call(claim, { params: { agentId }, body: { wait: "20s", ...body } }, options);
  }

  /** Says what an agent is doing, on the route the original agents use. */
  async reportState(agentId: string, report: StateReport, options?: CallOptions): Promise<void> {
    const timestamp = report.timestamp ?? formatTime(this.#transport.clock.now());
    const body = { agentId, timestamp, state: report.state, details: report.details ?? {} };
    const path = `/v1/opscore/agent/${encodeURIComponent(agentId)}/state`;
    // The same report with the same timestamp, twice, says nothing new.
    await this.#transport.send({ method: "POST", path, body }, options);
  }
}

import type { Blocked } from "../blocked.ts";
import type { AgentRecord, Page, Paged, RegisterAgent, StateReport } from "../store.ts";
import type { ClaimedAttempt } from "../tasks/task.ts";
import type { Agent, AgentState } from "./agent.ts";
import type { Health } from "./health.ts";

export interface AgentStore {
  /** Errors: `agent_name_taken`. */
  register(agent: RegisterAgent): Promise<{ agentId: string; created: boolean; replayed: boolean }>;
  /** A REGISTER notification: the caller chose the id. An unchanged repetition changes nothing but its time. */
  announce(agent: Agent): Promise<{ created: boolean; changed: boolean }>;
  /**
   * Open tasks go back to their lanes. With `announcedAt` nothing happens when AgentKit has told of the agent since, or
   * it registered here. Errors: `agent_not_found`.
   */
  remove(agentId: string, announcedAt?: number): Promise<{ reassigned: number }>;
  /** Errors: `agent_not_found`. */
  report(report: StateReport): Promise<{ settled: string | null }>;
  /** Pull: claims up to `max` tasks for this agent and renews its lease. Errors: `agent_not_found`. */
  claim(agentId: string, max: number): Promise<readonly ClaimedAttempt[]>;
  get(agentId: string): Promise<AgentRecord | null>;
  getByName(name: string): Promise<AgentRecord | null>;
  list(
    page: Page,
    filter: { capability?: string | undefined; state?: string | undefined; health?: Health | undefined },
  ): Promise<Paged<AgentRecord>>;
  states(agentId: string, page: Page): Promise<Paged<AgentState>>;
  /** Gives it no work until somebody readmits it. Errors: `agent_not_found`. */
  quarantine(agentId: string, by: string, reason: string | null): Promise<void>;
  /** Ends its quarantine, if it is in one, and forgets its failures. Errors: `agent_not_found`. */
  readmit(agentId: string): Promise<void>;
  /** Why the agent would not be given a task now. */
  blocked(agentId: string): Promise<Blocked | null>;
}

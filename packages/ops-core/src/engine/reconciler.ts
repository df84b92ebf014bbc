import { type JsonLimits, parseJson } from "@opspawn/contract";
import { readAgentList, saysTheSame } from "../domain/agents/agent-list.ts";
import type { AgentStore } from "../domain/agents/agent-store.ts";
import type { AnnouncedAgent } from "../domain/agents/announcement.ts";
import type { Clock } from "../domain/clock.ts";
import type { HttpReader, HttpResult } from "../domain/http-client.ts";
import type { Log } from "../domain/log.ts";
import type { AgentRecord } from "../domain/store.ts";

export interface ReconcilerOptions {
  readonly agents: AgentStore;
  /** Takes an agent into the directory, as a REGISTER notification does. */
  readonly announce: (agent: AnnouncedAgent) => Promise<void>;
  /** Reaches the addresses of the operator's own settings. */
  readonly http: HttpReader;
  /** The root of AgentKit's API, without a trailing slash. */
  readonly url: string;
  readonly key: string | null;
  readonly clock: Clock;
  readonly log: Log;
}

const TIMEOUT_MS = 15_000;
const PAGE = 200;
/** AgentKit is ours as well; its list is as long as there are agents. */
const LIST_LIMITS: JsonLimits = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxDepth: 100,
  maxKeys: Number.MAX_SAFE_INTEGER,
  maxStringBytes: 1_048_576,
};

/**
 * Compares the directory with AgentKit's own, for the notifications that never arrived. What AgentKit has and we do not,
 * or have otherwise, is taken over; what it told us of and has no more, in two polls that both began after the last
 * notification of it, is removed. Agents that registered here are none of its business.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** When the first poll began in which an agent was missing, by id. */
  #missing: ReadonlyMap<string, number> = new Map();
  #wasRead = true;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async tick(): Promise<void> {
    const began = this.#options.clock.now();
    const before = await this.#known();
    const listed = await this.#list();
    if (listed === null) return;
    for (const agent of listed) await this.#takeOver(agent, before.get(agent.agentId));
    const ids = new Set(listed.map(({ agentId }) => agentId));
    await this.#removeMissing(
      [...before.values()].filter(({ id }) => !ids.has(id)),
      began,
    );
  }

  async #known(): Promise<ReadonlyMap<string, AgentRecord>> {
    const known = new Map<string, AgentRecord>();
    let cursor: string | undefined;
    do {
      const page = await this.#options.agents.list({ limit: PAGE, cursor }, {});
      for (const agent of page.items) known.set(agent.id, agent);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return known;
  }

  async #list(): Promise<AnnouncedAgent[] | null> {
    const { http, url, key, log } = this.#options;
    const result = await http.get({
      url: `${url}/v1/agents`,
      headers: { accept: "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      headersTimeout: TIMEOUT_MS,
      deadline: TIMEOUT_MS,
    });
    const list = readList(result);
    // Said once for as long as it lasts.
    if (list === null && this.#wasRead) {
      log.warn({ url, reason: problemOf(result) }, "AgentKit's list of agents cannot be read; it will be tried again.");
    }
    this.#wasRead = list !== null;
    return list;
  }

  /** @param before as it was known when the poll began */
  async #takeOver(agent: AnnouncedAgent, before: AgentRecord | undefined): Promise<void> {
    const { agents, announce, log } = this.#options;
    const { agentId } = agent;
    if (before !== undefined && (before.announcedAt === null || saysTheSame(agent, before))) return;
    // A notification that came during the poll knows more than the list does.
    const now = await agents.get(agentId);
    if (now?.announcedAt !== before?.announcedAt) return;
    try {
      await announce(agent);
      log.info({ agentId, agentName: agent.agentName }, "An agent was taken over from AgentKit's list.");
    } catch (error) {
      log.warn({ err: error, agentId }, "An agent of AgentKit's list cannot be taken over.");
    }
  }

  async #removeMissing(absent: readonly AgentRecord[], began: number): Promise<void> {
    const { agents, log } = this.#options;
    const missing = new Map<string, number>();
    for (const { id, announcedAt } of absent) {
      if (announcedAt === null) continue;
      const first = this.#missing.get(id);
      // This poll began after the first, so that it is enough to look at that one.
      if (first === undefined || first <= announcedAt) {
        missing.set(id, began);
        continue;
      }
      await agents.remove(id, announcedAt);
      log.info({ agentId: id }, "An agent was removed: AgentKit does not have it any more.");
    }
    this.#missing = missing;
  }
}

function readList(result: HttpResult): AnnouncedAgent[] | null {
  if (result.kind !== "response" || result.status !== 200 || result.truncated) return null;
  try {
    return readAgentList(parseJson(result.body, LIST_LIMITS));
  } catch {
    return null;
  }
}

function problemOf(result: HttpResult): string {
  switch (result.kind) {
    case "response":
      return result.status === 200 ? "The answer is no list of agents." : `AgentKit answered ${result.status}.`;
    case "refused":
      return result.reason;
    default:
      return result.error.message;
  }
}

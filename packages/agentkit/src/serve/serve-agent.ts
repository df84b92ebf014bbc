import { OpspawnClient, systemChance, systemClock } from "@opspawn/sdk";
import { type AgentOptions, type AgentSettings, settingsOf } from "./agent-options.ts";
import { AgentServer } from "./agent-server.ts";
import { identityFile, noIdentityStore } from "./identity.ts";
import { childLogger, type Logger, silentLogger } from "./logger.ts";
import type { Ticket } from "./message.ts";
import { reportProgress } from "./progress-report.ts";
import { type Registered, register } from "./registration.ts";
import { isTrustedResultUrl } from "./result-origin.ts";
import { reportOutcome, reportStop } from "./result-report.ts";
import { signatureCheck } from "./signature.ts";
import { Workload } from "./workload.ts";

export interface ServedAgent {
  readonly agentId: string;
  /** Where it takes tasks. */
  readonly url: string;
  /** Tasks whose handler has not returned. */
  readonly tasksInHand: number;
  /** Takes no more tasks, reports `finished`, lets tasks in hand end and be reported, closes. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Makes an agent of a function: serves it over HTTP, registers it and reports it `idle`. A task is answered at once when
 * its handler is quick, else acknowledged and reported by a call of its own.
 * @throws OpspawnError when an option is wrong or the platform does not register the agent; a plain system error when
 * the port is taken
 */
export async function serveAgent(options: AgentOptions): Promise<ServedAgent> {
  const host = new AgentHost(options);
  const url = await host.listen();
  const { agentId } = await host.register(url);
  await host.reportState("idle", "started");
  host.logger.info({ agentId, url, capabilities: host.settings.capabilities }, "agent ready");
  options.onReady?.({ agentId, url });
  let stopped: Promise<void> | undefined;
  return {
    agentId,
    url,
    get tasksInHand() {
      return host.workload.size;
    },
    stop: () => {
      stopped ??= host.stop();
      return stopped;
    },
  };
}

/** The parts of a served agent, put together. */
class AgentHost {
  readonly settings: AgentSettings;
  readonly logger: Logger;
  readonly workload: Workload;
  readonly #options: AgentOptions;
  readonly #server: AgentServer;
  /** Ends calls that would otherwise be tried again. */
  readonly #ended = new AbortController();
  #registered: Registered | null = null;

  constructor(options: AgentOptions) {
    this.settings = settingsOf(options);
    this.#options = options;
    this.logger = childLogger(options.logger ?? silentLogger, { agent: options.name });
    this.workload = this.#workload();
    this.#server = new AgentServer({
      workload: this.workload,
      logger: this.logger,
      maxBody: this.settings.maxBody,
      agentId: () => this.#registered?.agentId ?? null,
      verify: signatureCheck(options.secret ?? null, options.clock ?? systemClock),
    });
  }

  async listen(): Promise<string> {
    const host = this.#options.host ?? "127.0.0.1";
    const port = await this.#server.listen(this.#options.port ?? 0, host);
    return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
  }

  async register(url: string): Promise<Registered> {
    const { name, version, contactEndpoint, identityFile: path, platform, clock, chance } = this.#options;
    const { capabilities, metadata, registerWithin, platformUrl } = this.settings;
    try {
      this.#registered = await register(
        { agentName: name, version, capabilities, contactEndpoint: contactEndpoint ?? url, metadata },
        {
          platform: platformUrl,
          clock: clock ?? systemClock,
          chance: chance ?? systemChance,
          logger: this.logger,
          identities: path === undefined ? noIdentityStore : identityFile(path),
          operatorKey: platform.key ?? null,
          within: registerWithin,
        },
      );
      return this.#registered;
    } catch (error) {
      await this.#server.close();
      throw error;
    }
  }

  /** Best effort: the platform gives work by free slots to an agent whose report was lost. */
  async reportState(state: string, reason: string): Promise<void> {
    if (this.#registered === null) return;
    const { agentId, key } = this.#registered;
    const client = this.#client(key ?? this.#options.platform.key);
    try {
      await client.agents.reportState(agentId, { state, details: { reason } }, { timeout: "3s" });
    } catch (error) {
      this.logger.warn({ state, reason: error instanceof Error ? error.message : error }, "state not reported");
    }
  }

  async stop(): Promise<void> {
    this.#server.refuseTasks();
    await this.reportState("finished", "stopped");
    await this.workload.drain(this.settings.stopWithin);
    this.#ended.abort();
    await this.#server.close();
    this.logger.info({}, "agent stopped");
  }

  #workload(): Workload {
    const { platformUrl, opsCoreUrl } = this.settings;
    const { logger } = this;
    const clock = this.#options.clock ?? systemClock;
    // The token is all the proof that a result needs.
    const client = this.#client(undefined);
    const tools = { client, clock, logger, signal: this.#ended.signal };
    const reportable = ({ resultUrl }: Ticket) => isTrustedResultUrl(resultUrl, [platformUrl, opsCoreUrl]);
    return new Workload({
      ...this.settings,
      clock,
      logger,
      confirmStop: (ticket) => reportStop(ticket, tools),
      report: (ticket, outcome) => reportOutcome(ticket, outcome, tools),
      progress: (ticket, said) => reportProgress(ticket, said, tools),
      reportable,
      effects: (ticket) => (reportable(ticket) ? client.effects : null),
    });
  }

  #client(apiKey: string | undefined): OpspawnClient {
    const { clock, chance } = this.#options;
    return new OpspawnClient({ baseUrl: this.settings.opsCoreUrl, apiKey, clock, chance });
  }
}

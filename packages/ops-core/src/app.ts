import { createRequire } from "node:module";
import type { FastifyInstance } from "fastify";
import { registerConfiguredTools } from "./app/configured-tools.ts";
import { listen, reachableHost } from "./app/listen.ts";
import { signerOf } from "./app/signing.ts";
import { ensureAdminKey, rootSecret } from "./auth/admin-key.ts";
import { Authenticator } from "./auth/authenticator.ts";
import { type Around, guardOperations, guardStreams } from "./auth/guard.ts";
import { Mint } from "./auth/mint.ts";
import type { Config } from "./config.ts";
import type { Role } from "./config-settings.ts";
import { type AnnouncedAgent, announceAgent } from "./domain/agents/announcement.ts";
import type { Clock } from "./domain/clock.ts";
import type { OpenGroup } from "./domain/context.ts";
import { EventStreams } from "./domain/events/event-streams.ts";
import { createStreams } from "./domain/events/stream-handlers.ts";
import type { Failpoint, FailpointName } from "./domain/failpoint.ts";
import type { Ids } from "./domain/ids.ts";
import type { Log } from "./domain/log.ts";
import { createOperations, type Handlers } from "./domain/operations.ts";
import type { Ports } from "./domain/ports.ts";
import type { Store } from "./domain/store.ts";
import type { Timers } from "./domain/timers.ts";
import { Waiters } from "./domain/waiters.ts";
import { Plans } from "./domain/workflows/plans.ts";
import { Engine } from "./engine/engine.ts";
import type { AgentkitElsewhere } from "./engine/other-half.ts";
import { SendCapacity } from "./engine/send-capacity.ts";
import type { Timing } from "./http/answer-headers.ts";
import { addApprovalLinkRoutes } from "./http/approval-link-routes.ts";
import { DirectRequests } from "./http/direct-requests.ts";
import { addDocsRoutes } from "./http/docs-routes.ts";
import { Gate } from "./http/gate.ts";
import { addHealthRoutes, type Readiness } from "./http/health-routes.ts";
import { addMetricsRoute } from "./http/metrics-route.ts";
import { addOperationRoutes } from "./http/operation-routes.ts";
import { addAgentKitRoutes } from "./http/originals/agentkit-routes.ts";
import { addOpsCoreRoutes } from "./http/originals/opscore-routes.ts";
import { RateCaps } from "./http/rate-caps.ts";
import { createServer } from "./http/server.ts";
import { Streaming } from "./http/streaming.ts";
import { Traffic } from "./http/traffic.ts";
import { addWorkflowSchemaRoute } from "./http/workflow-schema-route.ts";
import { OutboundClient } from "./outbound/client.ts";
import { OutboundPolicy } from "./outbound/policy.ts";
import { openStore } from "./store/open.ts";
import { type IncomingWebhook, receiveWebhook } from "./webhooks/verify.ts";

/** The outside world, as far as it is not the network or the disk. */
export interface Surroundings {
  readonly clock: Clock;
  /** The machine's own, for what others compare with theirs; default: `clock`. */
  readonly wallClock?: Clock;
  readonly ids: Ids;
  readonly timers: Timers;
  readonly log: Log;
  /** For tests of crashes: told when one of the named points is reached. */
  readonly failpoint?: Failpoint;
}

/** What a crash must not spoil: done and written, its caller not told. */
const AFTER_OPERATION: Readonly<Record<string, FailpointName>> = {
  "sessions.start": "http.after-start",
  "tasks.result": "http.after-result",
  "agents.claim": "http.after-claim",
};

const EVERYTHING_OPEN: readonly OpenGroup[] = ["agentkit", "tasks"];
/** What a process that is only AgentKit has to do with; agents register there by its own route, and have no states. */
const AGENTKIT_OPERATIONS = /^(agents\.(list|get|remove)|(tools|deliveries|keys|events)\..*)$/;
/** One agent may have a part of all waits, so that it takes at least so many agents to take them all. */
const WAITERS_SHARE = 20;
/** And so many keys to take all streams. */
const STREAMS_SHARE = 5;
/** Bytes of an answer of the platform's other half: AgentKit's list of agents is one body. */
const INTERNAL_BODY = 33_554_432;
/** Milliseconds a stop waits for answers under way, after the engine has drained. */
const CLOSE_WITHIN = 3_000;

/** One process of the platform: everything it consists of, put together here and nowhere else. */
export class App {
  readonly config: Config;
  readonly store: Store;
  readonly http: FastifyInstance;
  readonly operations: Handlers;
  readonly #surroundings: Surroundings;
  readonly #waiters: Waiters;
  readonly #streams: EventStreams;
  readonly #outbound: OutboundClient;
  /** For the addresses that the operator's own settings name, wherever they are; never for anybody else's. */
  readonly #internal: OutboundClient;
  readonly #policy: OutboundPolicy;
  readonly #capacity: SendCapacity;
  readonly #authenticator: Authenticator;
  readonly #mint: Mint;
  readonly #ports: Ports;
  #engine: Engine | null = null;
  #direct: DirectRequests | null = null;
  #readiness: Readiness = "starting";
  #stopped: Promise<void> | null = null;
  #url: string;

  /** Opens the store. @throws OpspawnError `unavailable` when another process has the data folder open */
  constructor(config: Config, surroundings: Surroundings) {
    const { clock, ids, timers, log, failpoint } = surroundings;
    this.config = config;
    this.#surroundings = surroundings;
    this.#url = config.publicUrl ?? `http://${reachableHost(config.host)}:${config.port}`;
    this.#policy = new OutboundPolicy({ allowLoopback: config.isLoopback, allow: config.outboundAllow });
    this.#outbound = new OutboundClient({ policy: this.#policy, timers });
    this.#internal = new OutboundClient({ policy: internalPolicy(config), timers, bodyCap: INTERNAL_BODY });
    this.#waiters = new Waiters({
      timers,
      max: config.maxWaits,
      maxPerOwner: Math.ceil(config.maxWaits / WAITERS_SHARE),
    });
    this.#capacity = new SendCapacity(config.maxSends);
    const sendCapacity = config.roles.includes("engine") ? { sendCapacity: this.#capacity.left } : {};
    const store = openStore({ folder: config.data, clock, ids, failpoint, ...sendCapacity });
    this.store = store;
    this.#streams = new EventStreams({
      events: store.events,
      timers,
      max: config.maxStreams,
      maxPerKey: Math.ceil(config.maxStreams / STREAMS_SHARE),
    });
    store.onCommit((hints) => {
      this.#waiters.notify(hints);
      this.#streams.notify(hints);
    });
    this.#authenticator = new Authenticator({
      keys: store.keys,
      clock: this.#wallClock,
      operatorKey: config.operatorKey?.reveal() ?? null,
      open: config.isLoopback ? EVERYTHING_OPEN : config.open,
      loopback: config.isLoopback,
    });
    this.#mint = new Mint({ ids, root: rootSecret(config.data, ids), forget: () => this.#authenticator.forget() });
    this.#ports = this.#makePorts();
    this.operations = this.#guarded();
    this.http = createServer({
      ...this.#timing(),
      log,
      take: (request, response) => this.#direct?.take(request, response) === true,
    });
    this.#addRoutes();
  }

  /** Where this process is reached; with the real port once it has started. */
  get url(): string {
    return this.#url;
  }

  /**
   * Listens, then runs the engine.
   * @returns the admin key, when this start made one; it is shown once
   */
  async start(): Promise<string | null> {
    const { clock } = this.#surroundings;
    const { config, store } = this;
    const adminKey = await ensureAdminKey({ keys: store.keys, mint: this.#mint, clock, folder: config.data });
    await registerConfiguredTools(config, { tools: store.tools, clock, decideUrl: this.#decideUrl });
    const port = await listen(this.http, config.host, config.port);
    if (config.publicUrl === null) this.#url = `http://${reachableHost(config.host)}:${port}`;
    // AgentKit has no tasks, but messages to deliver.
    if (["engine", "agentkit"].some((role) => config.roles.includes(role as Role))) await this.#startEngine();
    this.#readiness = "ready";
    return adminKey;
  }

  /** Takes no new work, lets what is under way end for a while, and closes the store. Stopping twice is stopping once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#readiness = "stopping";
    this.#waiters.close();
    this.#streams.close();
    await this.#engine?.stop();
    const cancel = this.#surroundings.timers.set(CLOSE_WITHIN, () => this.http.server.closeAllConnections());
    this.#direct?.close();
    await this.http.close();
    cancel();
    await Promise.all([this.#outbound.close(), this.#internal.close()]);
    await this.store.close();
  }

  readonly #decideUrl = (url: URL) => this.#policy.decideUrl(url);

  get #wallClock(): Clock {
    return this.#surroundings.wallClock ?? this.#surroundings.clock;
  }

  #timing(): Timing {
    const { ids, timers } = this.#surroundings;
    return { elapsed: () => timers.now(), requestId: () => ids.uuid() };
  }

  #makePorts(): Ports {
    const { clock, ids } = this.#surroundings;
    return {
      store: this.store,
      clock,
      ids,
      waiters: this.#waiters,
      plans: new Plans(this.store.workflows),
      keys: this.#mint,
      decideUrl: this.#decideUrl,
      http: this.#outbound,
      publicUrl: () => this.#url,
      reregister: this.config.reregister,
      agentKeys: this.config.roles.includes("api"),
      notifyUrl: notifyUrlOf(this.config),
      opsCoreOrigin: opsCoreOriginOf(this.config),
    };
  }

  #guarded(): Handlers {
    const { store } = this;
    const agentOfTask = async (taskId: string) => (await store.tasks.get(taskId))?.agentId ?? null;
    return guardOperations(createOperations(this.#ports), {
      agentOfTask,
      ...aroundOf(this.#surroundings.failpoint),
    });
  }

  #addRoutes(): void {
    const { http, config } = this;
    const { timers, log } = this.#surroundings;
    const timing = this.#timing();
    const traffic = new Traffic({ log, maxInFlight: config.maxInFlight, elapsed: timing.elapsed });
    traffic.watch(http);
    addHealthRoutes(http, () => this.#readiness);
    addDocsRoutes(http, () => ({ version: packageVersion(), url: this.#url }));
    const gate = new Gate(this.#authenticator, capsOf(config, timers));
    gate.watch(http);
    const { roles } = config;
    const isAlone = !roles.includes("api");
    if (roles.includes("agentkit")) addAgentKitRoutes(http, this.#ports, gate, isAlone);
    if (roles.includes("api")) {
      const secrets = config.webhookSecret === null ? [] : [config.webhookSecret.reveal()];
      const rules = { secrets, clock: this.#wallClock, replays: this.store.deliveries };
      const verify = async (message: IncomingWebhook) => (await receiveWebhook(message, rules, () => null)).isSigned;
      addWorkflowSchemaRoute(http);
      addApprovalLinkRoutes(http, this.#ports);
      addOpsCoreRoutes(http, this.#ports, gate, { verify });
    }
    const routes = { handlers: this.operations, gate, streaming: this.#streaming(gate) };
    if (roles.includes("api")) {
      addOperationRoutes(http, routes);
      addMetricsRoute(http, this.operations, gate);
      this.#direct = new DirectRequests({ ...timing, handlers: this.operations, gate, traffic, log });
    } else if (roles.includes("agentkit")) {
      addOperationRoutes(http, routes, ({ id }) => AGENTKIT_OPERATIONS.test(id));
    }
  }

  #streaming(gate: Gate): Streaming {
    const { timers, log, failpoint } = this.#surroundings;
    const handlers = guardStreams(createStreams(this.store, this.#streams), aroundOf(failpoint).around);
    return new Streaming({ handlers, gate, timers, closing: this.#streams.closing, log });
  }

  #agentkitElsewhere(): AgentkitElsewhere | null {
    const { roles, agentkitUrl: url, operatorKey } = this.config;
    if (url === null || !roles.includes("engine")) return null;
    const announce = (agent: AnnouncedAgent) => announceAgent(this.#ports, agent);
    return { url, key: operatorKey?.reveal() ?? null, announce };
  }

  async #startEngine(): Promise<void> {
    const sign = signerOf(this.config.webhookSecret, this.#wallClock);
    this.#engine = new Engine({
      ...this.#surroundings,
      store: this.store,
      http: this.#outbound,
      capacity: this.#capacity,
      publicUrl: this.#url,
      signMessage: (_agentId, messageId, body) => sign(messageId, body),
      // A task is known by its key, whoever delivers it.
      signDelivery: ({ id, kind, headers, body }) =>
        sign(kind === "task" ? (headers["idempotency-key"] ?? id) : id, body),
      otherHalf: {
        http: this.#internal,
        agentkit: this.#agentkitElsewhere(),
        opsCoreOrigin: this.#ports.opsCoreOrigin,
      },
    });
    await this.#engine.start();
  }
}

/** Results of tasks go there and nowhere else. */
function opsCoreOriginOf({ roles, webhookUrl }: Config): string | null {
  return roles.includes("agentkit") && webhookUrl !== null ? new URL(webhookUrl).origin : null;
}

/** Registrations are told to nobody who could not tell that it is us. */
function notifyUrlOf({ roles, webhookUrl, webhookSecret }: Config): string | null {
  return roles.includes("agentkit") && webhookSecret !== null ? webhookUrl : null;
}

function capsOf({ ratePerAgent, ratePerAddress }: Config, timers: Timers): RateCaps {
  return new RateCaps({ perAgent: ratePerAgent, perAddress: ratePerAddress, elapsed: () => timers.now() });
}

function internalPolicy({ webhookUrl, agentkitUrl }: Config): OutboundPolicy {
  const allow = [webhookUrl, agentkitUrl].flatMap((url) => (url === null ? [] : new URL(url).host));
  return new OutboundPolicy({ allowLoopback: true, allow });
}

function aroundOf(failpoint: Failpoint | undefined): { around?: Around } {
  if (failpoint === undefined) return {};
  return {
    around: async (operation, _context, run) => {
      const output = await run();
      const name = AFTER_OPERATION[operation.id];
      if (name !== undefined) failpoint(name);
      return output;
    },
  };
}

function packageVersion(): string {
  const read = createRequire(import.meta.url)("../package.json") as { version: string };
  return read.version;
}

import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Client } from "undici";
import type { Timers } from "../domain/timers.ts";
import { guardedConnector, type Lookup, systemLookup } from "./connector.ts";
import { Deadlines } from "./deadlines.ts";
import { Exchange } from "./exchange.ts";
import type { Decision, OutboundPolicy } from "./policy.ts";
import { type FaultCode, fault, type OutboundResult } from "./result.ts";
import { UndiciClient } from "./undici-client.ts";

export interface OutboundOptions {
  readonly policy: OutboundPolicy;
  readonly timers: Timers;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup;
  /** Milliseconds for lookup, TCP and TLS together; default 3,000. */
  readonly connectTimeout?: number;
  /** Bytes of an answer's body, after decoding; default 1 MB. The rest is not read. */
  readonly bodyCap?: number;
  /** Open requests to one origin; default 512. One more is `unsent`, `pool_full`. */
  readonly perOrigin?: number;
  /** Open requests altogether; default 4,096. */
  readonly inAll?: number;
  /** Connections kept for later altogether, give or take one origin's; default 1,024. */
  readonly idle?: number;
  /** Milliseconds an unused connection is kept; default 4,000. The other side may ask for up to 30,000. */
  readonly keepAlive?: number;
  /** Trusted certificates and a certificate of our own; default: Node's. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "cert" | "key">;
}

export interface OutboundRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds from the request's first byte to the end of the answer's headers; default 10,000. */
  readonly headersTimeout?: number;
  /** Milliseconds from the call to the end of the answer, connecting included; default 30,000. */
  readonly deadline?: number;
  /** Gives the request up and frees its connection. */
  readonly signal?: AbortSignal;
  /** Called when the first byte is about to be written. Returning `false` withdraws the request: it ends `unsent`. */
  readonly onFirstByte?: () => unknown;
}

export interface OutboundPost extends OutboundRequest {
  readonly body: string | Uint8Array;
}

/** What the client holds at this moment. */
export interface OutboundStats {
  readonly requests: number;
  readonly sockets: number;
  readonly origins: number;
}

/** What a URL comes to, worked out once. */
interface Route {
  readonly origin: string;
  readonly path: string;
  readonly decision: Decision;
}

/** The connections to one origin: a client of undici each, since its pool looks through all of them at every request. */
interface Lane {
  readonly origin: string;
  readonly clients: Set<Client>;
  /** Those without a request; the one used last is used first, so that the others may close. */
  readonly free: Client[];
  open: number;
  /** Counts up over all lanes: the smallest was used least recently. */
  lastUsed: number;
}

/** What a request takes up. */
interface Place {
  readonly lane: Lane;
  readonly client: Client;
}

const HEADERS_TIMEOUT = 10_000;
const DEADLINE = 30_000;
const MAX_KEEP_ALIVE = 30_000;
const MAX_ROUTES = 1_000;
const MAX_LANES = 1_000;
/** We ask for plain bodies: decoding is work that the other side could multiply. */
const OWN_HEADERS = ["user-agent", "opspawn", "accept-encoding", "identity"];

/**
 * The one HTTP client for URLs that somebody else chose. It judges every address at the moment it connects, follows no
 * redirects, reads at most `bodyCap` bytes, and ends every request by its deadline (at most 50 ms later).
 */
export class OutboundClient {
  readonly #policy: OutboundPolicy;
  readonly #timers: Timers;
  readonly #bodyCap: number;
  readonly #limits: { readonly perOrigin: number; readonly inAll: number; readonly idle: number };
  readonly #clientOptions: Client.Options;
  readonly #deadlines: Deadlines;
  readonly #routes = new Map<string, Route>();
  readonly #lanes = new Map<string, Lane>();
  readonly #sockets = new Set<Socket>();
  #open = 0;
  #uses = 0;
  #isClosed = false;

  constructor(options: OutboundOptions) {
    this.#policy = options.policy;
    this.#timers = options.timers;
    this.#bodyCap = options.bodyCap ?? 1_048_576;
    this.#limits = { perOrigin: options.perOrigin ?? 512, inAll: options.inAll ?? 4_096, idle: options.idle ?? 1_024 };
    this.#deadlines = new Deadlines(options.timers);
    const connect = guardedConnector({
      policy: options.policy,
      timers: options.timers,
      lookup: options.lookup ?? systemLookup,
      connectTimeout: options.connectTimeout ?? 3_000,
      tls: options.tls ?? {},
      onSocket: (socket) => this.#track(socket),
    });
    this.#clientOptions = {
      connect,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: options.keepAlive ?? 4_000,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE,
      // Our own deadlines are exact; undici's may fire half a second early.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
  }

  /** Sends a POST. Never rejects: see `OutboundResult`. */
  post(request: OutboundPost): Promise<OutboundResult> {
    return this.#send("POST", request, request.body);
  }

  /** Sends a GET. Never rejects: see `OutboundResult`. */
  get(request: OutboundRequest): Promise<OutboundResult> {
    return this.#send("GET", request, null);
  }

  stats(): OutboundStats {
    return { requests: this.#open, sockets: this.#sockets.size, origins: this.#lanes.size };
  }

  /** Ends every open request and closes every connection; later requests are `unsent`, `shutdown`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const clients = [...this.#lanes.values()].flatMap((lane) => [...lane.clients]);
    const destroyed = clients.map((client) => client.destroy());
    for (const socket of this.#sockets) socket.destroy();
    this.#lanes.clear();
    await Promise.all(destroyed);
    this.#deadlines.stop();
  }

  #send(method: "GET" | "POST", request: OutboundRequest, body: string | Uint8Array | null): Promise<OutboundResult> {
    const route = this.#routes.get(request.url) ?? this.#addRoute(request.url);
    if (!route.decision.isAllowed) {
      const { reason, setting } = route.decision;
      return Promise.resolve({ kind: "refused", reason, setting });
    }
    if (this.#isClosed) return unsent("shutdown");
    if (request.signal?.aborted === true) return unsent("aborted");
    const lane = this.#lanes.get(route.origin) ?? this.#addLane(route.origin);
    if (lane === null || lane.open >= this.#limits.perOrigin || this.#open >= this.#limits.inAll) {
      return unsent("pool_full");
    }
    return new Promise((resolve) => {
      const client = lane.free.pop() ?? this.#addClient(lane);
      const exchange = this.#exchange(request, { lane, client }, resolve);
      this.#deadlines.add(exchange);
      const headers = OWN_HEADERS.concat(Object.entries(request.headers ?? {}).flat());
      client.dispatch({ path: route.path, method, headers, body }, exchange);
    });
  }

  #addClient(lane: Lane): Client {
    const client = new UndiciClient(lane.origin, this.#clientOptions);
    lane.clients.add(client);
    return client;
  }

  #exchange(request: OutboundRequest, { lane, client }: Place, resolve: (result: OutboundResult) => void): Exchange {
    this.#open += 1;
    lane.open += 1;
    this.#uses += 1;
    lane.lastUsed = this.#uses;
    return new Exchange({
      timers: this.#timers,
      headersTimeout: request.headersTimeout ?? HEADERS_TIMEOUT,
      deadline: request.deadline ?? DEADLINE,
      bodyCap: this.#bodyCap,
      signal: request.signal,
      onFirstByte: request.onFirstByte,
      onSettled: (exchange, result) => {
        this.#deadlines.delete(exchange);
        resolve(result);
      },
      onReleased: () => {
        this.#open -= 1;
        lane.open -= 1;
        lane.free.push(client);
        if (lane.open === 0 && this.#sockets.size - this.#open > this.#limits.idle) this.#closeIdleLane();
      },
    });
  }

  #addRoute(text: string): Route {
    const url = URL.parse(text);
    const decision: Decision =
      url === null ? { isAllowed: false, reason: "This is not a URL.", setting: null } : this.#policy.decideUrl(url);
    const route = { origin: url?.origin ?? "", path: `${url?.pathname}${url?.search}`, decision };
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    this.#routes.set(text, route);
    return route;
  }

  /** Null when there are too many origins and all of them are busy. */
  #addLane(origin: string): Lane | null {
    if (this.#lanes.size >= MAX_LANES && !this.#closeIdleLane()) return null;
    const lane: Lane = { origin, clients: new Set(), free: [], open: 0, lastUsed: 0 };
    this.#lanes.set(origin, lane);
    return lane;
  }

  /** Gives up the connections to the origin that was used least recently and has no open request. */
  #closeIdleLane(): boolean {
    let oldest: [string, Lane] | null = null;
    for (const entry of this.#lanes) {
      if (entry[1].open === 0 && (oldest === null || entry[1].lastUsed < oldest[1].lastUsed)) oldest = entry;
    }
    if (oldest === null) return false;
    this.#lanes.delete(oldest[0]);
    for (const client of oldest[1].clients) void client.close();
    return true;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

function unsent(code: FaultCode): Promise<OutboundResult> {
  return Promise.resolve({ kind: "unsent", error: fault(code) });
}

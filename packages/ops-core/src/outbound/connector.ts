import type { LookupAddress } from "node:dns";
import { lookup as dnsLookup } from "node:dns/promises";
import { connect as connectTcp, isIP, isIPv6, type LookupFunction, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import type { Timers } from "../domain/timers.ts";
import type { OutboundPolicy, Target } from "./policy.ts";
import { AddressRefused, ConnectFailure } from "./result.ts";

/** Resolves a host name to all its addresses; rejects when there are none. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

export interface ConnectorOptions {
  readonly policy: OutboundPolicy;
  readonly timers: Timers;
  readonly lookup: Lookup;
  /** Milliseconds for lookup, TCP and TLS together. */
  readonly connectTimeout: number;
  /** Trust and certificates; Node's defaults otherwise. */
  readonly tls: Pick<ConnectionOptions, "ca" | "cert" | "key">;
  /** Told of each socket as soon as it exists. */
  readonly onSocket: (socket: Socket) => void;
}

/** When a connection has been silent for so long, the kernel asks whether the other side is still there. */
const KEEP_ALIVE_PROBE = 15_000;

/** The system's resolver, the hosts file included. */
export const systemLookup: Lookup = async (hostname) => {
  const answers = await dnsLookup(hostname, { all: true, verbatim: true });
  return answers.map((answer) => answer.address);
};

/**
 * Opens sockets for undici, each to an address that was judged for just this connection: literals before anything else,
 * names inside the socket's own lookup, so that nothing can change between the judgement and the connection.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  return ({ hostname, protocol, port }, callback) => {
    const isSecure = protocol === "https:";
    const target = { hostname: hostname.replace(/\.+$/, ""), port: Number(port) || (isSecure ? 443 : 80) };
    const decision = options.policy.decideTarget(target);
    if (decision.isAllowed) {
      open(options, target, isSecure, callback);
    } else {
      queueMicrotask(() => callback(new AddressRefused(decision), null));
    }
  };
}

function open(options: ConnectorOptions, target: Target, isSecure: boolean, callback: buildConnector.Callback): void {
  const { timers, connectTimeout } = options;
  const socket = isSecure ? tlsSocket(options, target) : connectTcp(address(options, target));
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_PROBE);
  options.onSocket(socket);
  const cancel = timers.set(connectTimeout, () => socket.destroy(new ConnectFailure("connect_timeout")));
  let isOpening = true;
  let isConnected = false;
  const fail = (error: Error): void => {
    cancel();
    if (!isOpening) return;
    isOpening = false;
    callback(failureOf(error, isConnected), null);
  };
  socket.on("error", fail);
  socket.once("close", () => fail(new ConnectFailure("connect_failed")));
  socket.once("connect", () => {
    isConnected = true;
  });
  socket.once(isSecure ? "secureConnect" : "connect", () => {
    cancel();
    isOpening = false;
    callback(null, socket);
  });
}

function tlsSocket(options: ConnectorOptions, target: Target): Socket {
  const servername = isIP(target.hostname) === 0 ? { servername: target.hostname } : {};
  return connectTls({ ...options.tls, ...address(options, target), ...servername, ALPNProtocols: ["http/1.1"] });
}

function address(options: ConnectorOptions, target: Target) {
  return {
    host: target.hostname,
    port: target.port,
    lookup: guardedLookup(options, target),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.max(10, Math.floor(options.connectTimeout / 3)),
  };
}

function guardedLookup(options: ConnectorOptions, target: Target): LookupFunction {
  return (hostname, { all }, done) => {
    options
      .lookup(hostname)
      .then((answers) => judged(options.policy, target, answers))
      .then(
        (addresses) => (all === true ? done(null, addresses) : done(null, addresses[0].address, addresses[0].family)),
        (error: Error) => done(error instanceof AddressRefused ? error : new ConnectFailure("dns_failed", error), ""),
      );
  };
}

/** One refused answer refuses the name: a name that leads both outside and inside is not one to trust halfway. */
function judged(
  policy: OutboundPolicy,
  target: Target,
  answers: readonly string[],
): [LookupAddress, ...LookupAddress[]] {
  const [first, ...others] = answers.map((address) => {
    const decision = policy.decideAddress(address, target);
    if (!decision.isAllowed) throw new AddressRefused(decision);
    return { address, family: isIPv6(address) ? 6 : 4 };
  });
  if (first === undefined) throw new ConnectFailure("dns_failed");
  return [first, ...others];
}

function failureOf(error: Error, isConnected: boolean): Error {
  if (error instanceof AddressRefused || error instanceof ConnectFailure) return error;
  return new ConnectFailure(isConnected ? "tls_failed" : "connect_failed", error);
}

import { isLoopbackHost } from "./loopback.ts";

/** The parts of a request by which a browser gives itself away. */
export interface Origin {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
}

/**
 * Whether a request without a key may be taken for one of somebody who is here, rather than for one that a web page
 * made an operator's browser send: no foreign `Origin`, and on a loopback bind a `Host` that names this machine (a
 * page whose name was made to resolve to 127.0.0.1 still sends its own name).
 */
export function isSameSite({ origin, host }: Origin, loopback: boolean): boolean {
  if (origin !== undefined && !isOriginOf(origin, host)) return false;
  return !loopback || host === undefined || isLoopbackHost(hostName(host));
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

/** The name in a `Host` header, without its port. */
function hostName(host: string): string {
  const bracket = host.indexOf("]");
  const colon = host.indexOf(":", bracket + 1);
  return colon === -1 ? host : host.slice(0, colon);
}

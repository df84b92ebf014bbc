import { OpspawnError } from "@opspawn/contract";
import {
  type AddressClass,
  type Cidr,
  classifyAddress,
  isInside,
  isMetadataHost,
  parseCidr,
  parseIp,
} from "./address.ts";

/** The setting an operator extends to let an address through. */
export const OUTBOUND_SETTING = "OPSPAWN_OUTBOUND_ALLOW";

export interface OutboundPolicyOptions {
  /** True while we are bound to loopback ourselves: then agents on this machine are the normal case. */
  readonly allowLoopback: boolean;
  /** Address ranges (`10.0.0.0/8`), hosts (`agents.internal`, `10.0.0.5`) or hosts with a port (`[fd00::5]:8080`). */
  readonly allow: readonly string[];
}

export interface Refusal {
  readonly isAllowed: false;
  /** A sentence for the person who chose the URL; says what to do. */
  readonly reason: string;
  /** The setting that would allow it; null when nothing does. */
  readonly setting: typeof OUTBOUND_SETTING | null;
}

export type Decision = { readonly isAllowed: true } | Refusal;

/** Where a connection is about to go, as the URL names it: no brackets, lower case, no final full stop. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
}

type AllowRule =
  | { readonly kind: "range"; readonly range: Cidr; readonly port: number | null }
  | { readonly kind: "host"; readonly hostname: string; readonly port: number | null };

const ALLOWED: Decision = { isAllowed: true };

const CLASS_NAMES: Record<Exclude<AddressClass, "global">, string> = {
  loopback: "a loopback address",
  private: "a private address",
  link_local: "a link-local address",
  metadata: "a cloud metadata address",
  multicast: "a multicast address",
  unspecified: "the unspecified address",
  reserved: "a reserved address",
};

/**
 * Decides where our HTTP client may connect. Whatever is not global unicast is refused unless the operator allowed it;
 * metadata addresses are refused even then.
 */
export class OutboundPolicy {
  readonly #allowLoopback: boolean;
  readonly #rules: readonly AllowRule[];

  /** @throws OpspawnError `invalid_request` naming the setting when an entry of `allow` is none of the three forms. */
  constructor(options: OutboundPolicyOptions) {
    this.#allowLoopback = options.allowLoopback;
    this.#rules = options.allow.map(parseRule);
  }

  /**
   * Decides what a URL alone tells: scheme, credentials, literal addresses, metadata names. Other names are judged when
   * they are connected to, by what they resolve to then.
   */
  decideUrl(url: URL): Decision {
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      return { isAllowed: false, reason: "Only http and https URLs are called.", setting: null };
    }
    if (url.username !== "" || url.password !== "") {
      return { isAllowed: false, reason: "A URL must not carry a user name or password.", setting: null };
    }
    return this.decideTarget(targetOf(url));
  }

  /** Decides what the host alone tells: literal addresses and metadata names. */
  decideTarget(target: Target): Decision {
    if (isMetadataHost(target.hostname)) return refuse(target, target.hostname, "metadata");
    return parseIp(target.hostname) === null ? ALLOWED : this.decideAddress(target.hostname, target);
  }

  /** Decides one address that `target` turned out to be: a literal, or one answer of a lookup. */
  decideAddress(address: string, target: Target): Decision {
    const ip = parseIp(address);
    if (ip === null) return { isAllowed: false, reason: `${target.hostname} has no usable address.`, setting: null };
    const kind = classifyAddress(ip);
    if (kind === "global") return ALLOWED;
    if (kind === "metadata") return refuse(target, address, kind);
    if (kind === "loopback" && this.#allowLoopback) return ALLOWED;
    const isAllowed = this.#rules.some((rule) => {
      if (rule.port !== null && rule.port !== target.port) return false;
      return rule.kind === "host" ? rule.hostname === target.hostname : isInside(rule.range, ip);
    });
    return isAllowed ? ALLOWED : refuse(target, address, kind);
  }
}

/** The host and port a URL leads to, in the form in which rules are written. */
export function targetOf(url: URL): Target {
  const usual = url.protocol === "https:" ? 443 : 80;
  return { hostname: plainHost(url.hostname), port: url.port === "" ? usual : Number(url.port) };
}

function plainHost(host: string): string {
  if (host.startsWith("[") && host.endsWith("]")) return host.slice(1, -1);
  return host.toLowerCase().replace(/\.+$/, "");
}

/** Says what the address is, not which one a name resolved to: that would map a private network for the caller. */
function refuse(target: Target, address: string, kind: Exclude<AddressClass, "global">): Refusal {
  const verb = address === target.hostname ? "is" : "resolves to";
  const what = `${target.hostname} ${verb} ${CLASS_NAMES[kind]}`;
  if (kind === "metadata") return { isAllowed: false, reason: `${what}, which is never called.`, setting: null };
  const literal = target.hostname.includes(":") ? `[${target.hostname}]` : target.hostname;
  const hint = `${OUTBOUND_SETTING}=${literal}:${target.port}`;
  return { isAllowed: false, reason: `${what}; the operator may allow it with ${hint}.`, setting: OUTBOUND_SETTING };
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

function parseRule(text: string): AllowRule {
  const entry = text.trim();
  const range = parseCidr(entry);
  if (range !== null) return { kind: "range", range, port: null };
  const { host, port } = splitPort(entry);
  const hostname = plainHost(host);
  const literal = entry.includes("/") ? null : parseCidr(hostname);
  if (literal !== null && isPort(port)) return { kind: "range", range: literal, port };
  // A name that ends in digits is a mistyped address: no public name does.
  if (HOST_NAME.test(hostname) && !/(^|\.)\d+$/.test(hostname) && isPort(port)) return { kind: "host", hostname, port };
  const forms = "an address range (10.0.0.0/8), a host (agents.internal) or a host with a port (10.0.0.5:8080)";
  throw new OpspawnError("invalid_request", `${OUTBOUND_SETTING}: "${text}" is not ${forms}.`);
}

/** A port of NaN is one that was written wrongly. */
function splitPort(entry: string): { host: string; port: number | null } {
  const match = /^(\[[^\]]*\]|[^:[\]]*):(.*)$/.exec(entry);
  if (match === null) return { host: entry, port: null };
  const [, host = "", digits = ""] = match;
  return { host, port: /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN };
}

function isPort(port: number | null): boolean {
  return port === null || (port >= 1 && port <= 65_535);
}

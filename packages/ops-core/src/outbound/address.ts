import { isIPv4, isIPv6 } from "node:net";

/**
 * What an IP address is good for. Only `global` addresses are reachable by everybody; the rest lead back to us, into
 * somebody's private network, or nowhere. `metadata` are the addresses at which clouds hand credentials to any process
 * on a machine.
 */
export type AddressClass =
  | "global"
  | "loopback"
  | "private"
  | "link_local"
  | "metadata"
  | "multicast"
  | "unspecified"
  | "reserved";

/** An IP address as a number; `family` says of how many bits. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** A range of addresses; a single address is a range with the full prefix length. */
export interface Cidr {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** Reads an IP literal (no brackets; a zone id is dropped); null when the text is none. */
export function parseIp(text: string): IpAddress | null {
  const zone = text.indexOf("%");
  const address = zone === -1 ? text : text.slice(0, zone);
  if (isIPv4(address)) return { family: 4, bits: bitsOfIpv4(address) };
  if (isIPv6(address)) return { family: 6, bits: bitsOfIpv6(address) };
  return null;
}

/** Reads `address` or `address/prefix`; null when the text is neither. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf("/");
  const address = parseIp(slash === -1 ? text : text.slice(0, slash));
  if (address === null || text.includes("%")) return null;
  const width = widthOf(address);
  if (slash === -1) return { address, prefix: width };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > width) return null;
  return { address, prefix: Number(digits) };
}

/** Whether the address lies in the range. An IPv4 address written as IPv6 counts as the IPv4 address. */
export function isInside(range: Cidr, address: IpAddress): boolean {
  const embedded = embeddedIpv4(address);
  return contains(range, address) || (embedded?.isRouted === true && contains(range, embedded.address));
}

/** Classifies an address; an IPv4 address carried inside an IPv6 one (mapped, NAT64, 6to4) is judged as itself. */
export function classifyAddress(address: IpAddress): AddressClass {
  if (METADATA.some((range) => contains(range, address))) return "metadata";
  const embedded = embeddedIpv4(address);
  const inner = embedded === null ? null : classifyAddress(embedded.address);
  if (inner === "metadata") return inner;
  const special = SPECIAL.find(({ range }) => contains(range, address));
  if (special !== undefined) return special.kind;
  if (inner !== null) return inner === "global" && embedded?.isRouted !== true ? "reserved" : inner;
  if (address.family === 4) return "global";
  return contains(GLOBAL_UNICAST, address) ? "global" : "reserved";
}

/** Whether the name stands for a cloud's metadata service; such names are refused before any lookup. */
export function isMetadataHost(hostname: string): boolean {
  return METADATA_HOSTS.has(hostname);
}

function widthOf(address: IpAddress): number {
  return address.family === 4 ? 32 : 128;
}

function contains(range: Cidr, address: IpAddress): boolean {
  if (range.address.family !== address.family) return false;
  const shift = BigInt(widthOf(address) - range.prefix);
  return range.address.bits >> shift === address.bits >> shift;
}

function bitsOfIpv4(text: string): bigint {
  return text.split(".").reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
}

function bitsOfIpv6(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array<number>(8 - left.length - right.length).fill(0);
  return [...left, ...zeros, ...right].reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

/** 16-bit groups; a dotted quad at the end makes two. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => {
    if (!part.includes(".")) return [Number.parseInt(part, 16)];
    const bits = Number(bitsOfIpv4(part));
    return [Math.floor(bits / 65_536), bits % 65_536];
  });
}

interface Embedded {
  readonly address: IpAddress;
  /** Whether such an address is delivered as the IPv4 address it holds, on a network that is set up for it. */
  readonly isRouted: boolean;
}

function embeddedIpv4(address: IpAddress): Embedded | null {
  const form = EMBEDDINGS.find(({ range }) => contains(range, address));
  if (form === undefined) return null;
  const bits = (address.bits >> form.shift) & 0xffff_ffffn;
  return { address: { family: 4, bits }, isRouted: form.isRouted };
}

/** For the tables below; a wrong entry is a defect that stops the import. */
function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === null) throw new Error(`"${text}" is no address range`);
  return parsed;
}

function special(kind: AddressClass, ranges: string): { kind: AddressClass; range: Cidr }[] {
  return ranges.split(" ").map((text) => ({ kind, range: cidr(text) }));
}

/** The only block that is handed out for use on the public IPv6 internet. */
const GLOBAL_UNICAST = cidr("2000::/3");

/** From IANA's registries of special-purpose addresses: what is not for the public internet. */
const SPECIAL = [
  ...special("unspecified", "0.0.0.0/32 ::/128"),
  ...special("loopback", "127.0.0.0/8 ::1/128"),
  ...special("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7 fec0::/10 64:ff9b:1::/48"),
  ...special("link_local", "169.254.0.0/16 fe80::/10"),
  ...special("multicast", "224.0.0.0/4 ff00::/8"),
  ...special("reserved", "0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24"),
  ...special("reserved", "198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4"),
  ...special("reserved", "2001::/23 2001:db8::/32 3fff::/20"),
];

/** AWS (also of containers), Google, Azure, Alibaba, Oracle, Tencent, Scaleway. Azure's is a public address. */
const METADATA = [
  ...["169.254.169.254", "169.254.169.253", "169.254.170.2", "169.254.170.23", "169.254.0.23", "169.254.42.42"],
  ...["100.100.100.200", "168.63.129.16", "192.0.0.192"],
  ...["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42"],
].map(cidr);

const METADATA_HOSTS = new Set([
  "instance-data",
  "instance-data.ec2.internal",
  "metadata",
  "metadata.azure.internal",
  "metadata.google.internal",
  "metadata.goog",
  "metadata.oraclecloud.com",
  "metadata.packet.net",
  "metadata.platformequinix.com",
  "metadata.tencentyun.com",
  "rancher-metadata",
]);

const EMBEDDINGS: readonly { range: Cidr; shift: bigint; isRouted: boolean }[] = [
  { range: cidr("::ffff:0:0/96"), shift: 0n, isRouted: true }, // mapped: the socket speaks IPv4
  { range: cidr("64:ff9b::/96"), shift: 0n, isRouted: true }, // NAT64: how IPv6-only networks reach IPv4
  { range: cidr("64:ff9b:1::/48"), shift: 0n, isRouted: false }, // NAT64 inside one network
  { range: cidr("::/96"), shift: 0n, isRouted: false }, // compatible: given up long ago
  { range: cidr("::ffff:0:0:0/96"), shift: 0n, isRouted: false }, // translated
  { range: cidr("2002::/16"), shift: 80n, isRouted: false }, // 6to4: its relays are gone
];

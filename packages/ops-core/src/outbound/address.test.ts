import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type AddressClass,
  type Cidr,
  classifyAddress,
  isInside,
  isMetadataHost,
  parseCidr,
  parseIp,
} from "./address.ts";

function classOf(text: string): AddressClass | "no address" {
  const address = parseIp(text);
  return address === null ? "no address" : classifyAddress(address);
}

function range(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed !== null, text);
  return parsed;
}

function isIn(rangeText: string, addressText: string): boolean {
  const address = parseIp(addressText);
  assert.ok(address !== null, addressText);
  return isInside(range(rangeText), address);
}

const EXAMPLES: Record<AddressClass, string> = {
  global: "1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.0.1.0 198.17.0.1 223.255.255.255",
  loopback: "127.0.0.1 127.255.255.255 ::1 0:0:0:0:0:0:0:1 ::ffff:127.0.0.1 ::ffff:7f00:1 64:ff9b::7f00:1 ::127.0.0.1",
  private: "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 fc00::1 fdff::1 fec0::1",
  link_local: "169.254.0.1 169.254.255.255 fe80::1 fe80::1%eth0 febf::1 ::ffff:169.254.1.1",
  metadata: "169.254.169.254 100.100.100.200 168.63.129.16 192.0.0.192 169.254.170.2 fd00:ec2::254 fd20:ce::254",
  multicast: "224.0.0.1 239.255.255.255 ff02::1 ::ffff:224.0.0.1",
  unspecified: "0.0.0.0 :: ::ffff:0.0.0.0",
  reserved:
    "0.0.0.1 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 240.0.0.1 255.255.255.255 2001:db8::1 2001::1 3fff::1",
};

for (const [kind, addresses] of Object.entries(EXAMPLES)) {
  test(`${kind} addresses are known as such, to the edges of their ranges`, () => {
    for (const address of addresses.split(" ")) assert.equal(classOf(address), kind, address);
  });
}

test("public IPv6 is global, and everything outside the handed-out block is reserved", () => {
  for (const address of ["2606:4700:4700::1111", "2a00:1450:4001::200e", "2001:200::1", "3ffe::1"]) {
    assert.equal(classOf(address), "global", address);
  }
  for (const address of ["100::1", "200::1", "4000::1", "5f00::1", "e000::1", "::2", "1::1"]) {
    assert.equal(classOf(address), "reserved", address);
  }
});

test("an IPv4 address inside an IPv6 one is judged as itself", () => {
  assert.equal(classOf("::ffff:8.8.8.8"), "global");
  assert.equal(classOf("64:ff9b::8.8.8.8"), "global");
  assert.equal(classOf("64:ff9b::10.0.0.1"), "private");
  assert.equal(classOf("2002:0a00:0001::1"), "private");
  assert.equal(classOf("::10.0.0.1"), "private");
  assert.equal(classOf("::ffff:0:10.0.0.1"), "private");
  assert.equal(classOf("64:ff9b:1::8.8.8.8"), "private");
});

test("given-up ways of carrying IPv4 are reserved even around a public address", () => {
  for (const address of ["2002:0808:0808::1", "::8.8.8.8", "::ffff:0:8.8.8.8"]) {
    assert.equal(classOf(address), "reserved", address);
  }
});

test("a metadata address stays one in every IPv6 dress", () => {
  const dresses = ["::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"];
  for (const address of [...dresses, "2002:a9fe:a9fe::", "::169.254.169.254", "::ffff:0:169.254.169.254"]) {
    assert.equal(classOf(address), "metadata", address);
  }
});

test("texts that are no address are not read as one", () => {
  for (const text of [
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "0177.0.0.1",
    "0x7f.1",
    "[::1]",
    ":::",
    "1::2::3",
  ]) {
    assert.equal(classOf(text), "no address", text);
  }
});

test("reading an address gives the number that was written, in any spelling", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 128n) - 1n), fc.boolean(), (bits, isShort) => {
      const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
      const text = isShort ? groups.join(":") : groups.map((group) => group.padStart(4, "0").toUpperCase()).join(":");
      assert.deepEqual(parseIp(text), { family: 6, bits });
      assert.deepEqual(parseIp(new URL(`http://[${text}]/`).hostname.slice(1, -1)), { family: 6, bits });
    }),
  );
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (bits) => {
      const text = new URL(`http://${bits}/`).hostname;
      assert.deepEqual(parseIp(text), { family: 4, bits: BigInt(bits) });
      assert.deepEqual(parseIp(`::ffff:${text}`)?.bits, 0xffff_0000_0000n + BigInt(bits));
    }),
  );
});

test("a range holds its first and last address and not their neighbours", () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.integer({ min: 1, max: 32 }), (seed, prefix) => {
      const size = 2 ** (32 - prefix);
      const first = Math.floor(seed / size) * size;
      const dotted = (bits: number) => new URL(`http://${bits}/`).hostname;
      const text = `${dotted(first)}/${prefix}`;
      assert.ok(isIn(text, dotted(first)));
      assert.ok(isIn(text, dotted(first + size - 1)));
      if (first > 0) assert.ok(!isIn(text, dotted(first - 1)));
      if (first + size <= 0xffff_ffff) assert.ok(!isIn(text, dotted(first + size)));
    }),
  );
  assert.ok(isIn("fd00::/8", "fd12::1"));
  assert.ok(!isIn("fd00::/8", "fc12::1"));
  assert.ok(!isIn("::/0", "10.0.0.1"), "an IPv6 range says nothing about IPv4");
});

test("a range of IPv4 holds the mapped form, but not the forms that nobody delivers", () => {
  assert.ok(isIn("10.0.0.0/8", "::ffff:10.1.2.3"));
  assert.ok(isIn("10.0.0.0/8", "64:ff9b::10.1.2.3"));
  assert.ok(!isIn("10.0.0.0/8", "2002:0a01:0203::1"));
});

test("texts that are no range are refused", () => {
  for (const text of [
    "",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "fd00::/129",
    "x/8",
    "fe80::%1/10",
  ]) {
    assert.equal(parseCidr(text), null, text);
  }
  assert.equal(range("10.0.0.5").prefix, 32);
  assert.equal(range("fd00::5").prefix, 128);
});

test("metadata services are known by name", () => {
  assert.ok(isMetadataHost("metadata.google.internal"));
  assert.ok(!isMetadataHost("metadata.example.com"));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { OpspawnError } from "@opspawn/contract";
import { type Decision, OUTBOUND_SETTING, OutboundPolicy, targetOf } from "./policy.ts";

const strict = new OutboundPolicy({ allowLoopback: false, allow: [] });
const local = new OutboundPolicy({ allowLoopback: true, allow: [] });

function allowing(...allow: string[]): OutboundPolicy {
  return new OutboundPolicy({ allowLoopback: false, allow });
}

function judge(policy: OutboundPolicy, url: string): Decision {
  return policy.decideUrl(new URL(url));
}

function judgeResolved(policy: OutboundPolicy, url: string, address: string): boolean {
  return policy.decideAddress(address, targetOf(new URL(url))).isAllowed;
}

test("public URLs pass, names too: they are judged when they are connected to", () => {
  for (const url of [
    "http://8.8.8.8/",
    "https://[2606:4700::1]:8443/x",
    "http://agents.internal/",
    "http://localhost/",
  ]) {
    assert.deepEqual(judge(strict, url), { isAllowed: true }, url);
  }
});

test("only http and https are called, and nothing allows another scheme", () => {
  for (const url of ["ftp://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/", "ws://8.8.8.8/", "data:,x"]) {
    assert.deepEqual(judge(strict, url), {
      isAllowed: false,
      reason: "Only http and https URLs are called.",
      setting: null,
    });
  }
});

test("a URL with a user name or a password is refused", () => {
  for (const url of ["http://user@8.8.8.8/", "http://:secret@8.8.8.8/"]) {
    const decision = judge(strict, url);
    assert.ok(!decision.isAllowed);
    assert.equal(decision.setting, null);
    assert.ok(!decision.reason.includes("secret"));
  }
});

test("every spelling of a loopback literal is refused, and the refusal names the setting", () => {
  const spellings = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "%31%32%37.0.0.1"];
  for (const host of [...spellings, "１２７.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]"]) {
    const decision = judge(strict, `http://${host}:9000/task`);
    assert.ok(!decision.isAllowed, host);
    assert.equal(decision.setting, OUTBOUND_SETTING, host);
    assert.match(decision.reason, /loopback.*OPSPAWN_OUTBOUND_ALLOW=/, host);
  }
});

test("the named setting, taken as it is written, allows what was refused", () => {
  for (const url of ["http://10.1.2.3/", "https://10.1.2.3/", "http://[fd00::5]:8080/", "http://127.0.0.1:9001/x"]) {
    const decision = judge(strict, url);
    assert.ok(!decision.isAllowed);
    const value = /OPSPAWN_OUTBOUND_ALLOW=(\S+)\.$/.exec(decision.reason)?.[1];
    assert.ok(value !== undefined, decision.reason);
    assert.deepEqual(judge(allowing(value), url), { isAllowed: true }, value);
  }
});

test("loopback is allowed exactly when we are bound to loopback", () => {
  assert.ok(judge(local, "http://127.0.0.1:1/").isAllowed);
  assert.ok(judge(local, "http://[::1]/").isAllowed);
  assert.ok(judgeResolved(local, "http://localhost/", "127.0.0.1"));
  assert.ok(!judgeResolved(strict, "http://localhost/", "127.0.0.1"));
  for (const url of ["http://10.0.0.1/", "http://0.0.0.0/", "http://[::]/", "http://169.254.1.1/"]) {
    assert.ok(!judge(local, url).isAllowed, url);
  }
});

test("metadata services are refused by address and by name, whatever is allowed", () => {
  const everything = new OutboundPolicy({
    allowLoopback: true,
    allow: ["0.0.0.0/0", "::/0", "169.254.169.254", "metadata.google.internal", "evil.example"],
  });
  for (const host of [
    "169.254.169.254",
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "100.100.100.200",
  ]) {
    const decision = judge(everything, `http://${host}/latest/meta-data/`);
    assert.ok(!decision.isAllowed, host);
    assert.equal(decision.setting, null);
  }
  assert.ok(!judge(everything, "http://Metadata.Google.Internal./").isAllowed);
  assert.ok(!judgeResolved(everything, "http://evil.example/", "169.254.169.254"));
});

test("a range, a host and a host with a port each allow just what they say", () => {
  assert.ok(judge(allowing("10.0.0.0/8"), "http://10.9.9.9/").isAllowed);
  assert.ok(!judge(allowing("10.0.0.0/8"), "http://192.168.0.1/").isAllowed);
  assert.ok(judge(allowing("10.0.0.5:8080"), "http://10.0.0.5:8080/").isAllowed);
  assert.ok(!judge(allowing("10.0.0.5:8080"), "http://10.0.0.5:8081/").isAllowed);
  assert.ok(judgeResolved(allowing("10.0.0.5:8080"), "http://agents.internal:8080/", "10.0.0.5"));
  assert.ok(judgeResolved(allowing("Agents.Internal"), "http://agents.internal./", "10.0.0.5"));
  assert.ok(!judgeResolved(allowing("agents.internal"), "http://x.agents.internal/", "10.0.0.5"));
  assert.ok(judgeResolved(allowing("agents.internal:443"), "https://agents.internal/", "10.0.0.5"));
  assert.ok(!judgeResolved(allowing("agents.internal:443"), "http://agents.internal/", "10.0.0.5"));
  assert.ok(judge(allowing("[fd00::5]:80"), "http://[fd00::5]/").isAllowed);
});

test("the address behind a private name is not told to the caller", () => {
  const decision = strict.decideAddress("10.7.7.7", { hostname: "db.internal", port: 80 });
  assert.ok(!decision.isAllowed);
  assert.ok(!decision.reason.includes("10.7.7.7"));
  assert.match(decision.reason, /db\.internal resolves to a private address.*=db\.internal:80/);
});

test("a lookup that answers with something that is no address is refused", () => {
  assert.ok(!strict.decideAddress("not an address", { hostname: "x.example", port: 80 }).isAllowed);
});

test("an entry that is no range, host or port stops the start and names the setting", () => {
  const wrong = [
    "",
    "10.0.0.0/99",
    "10.0.0",
    "a b",
    "host:0",
    "host:99999",
    "host:http",
    "http://host",
    "*.x",
    "fd00::5:80x",
  ];
  for (const entry of [...wrong, "10.0.0.0/8:80", "[::1", "-a.example"]) {
    assert.throws(
      () => allowing(entry),
      (error: unknown) => error instanceof OpspawnError && error.message.startsWith(OUTBOUND_SETTING),
      entry,
    );
  }
});

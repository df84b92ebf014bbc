import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { systemTimers } from "../system/timers.ts";
import { guardedConnector } from "./connector.ts";
import { OutboundPolicy } from "./policy.ts";
import { AddressRefused } from "./result.ts";
import { silentServer } from "./test-servers.ts";

/** Asks for one connection; says what came of it and which sockets were made for it. */
function connect(policy: OutboundPolicy, target: { hostname: string; port: string; protocol: string }) {
  const sockets: Socket[] = [];
  const connector = guardedConnector({
    policy,
    timers: systemTimers,
    lookup: () => assert.fail("looked up"),
    connectTimeout: 1_000,
    tls: {},
    onSocket: (socket) => sockets.push(socket),
  });
  return new Promise<{ error: Error | null; sockets: Socket[] }>((resolve) => {
    connector(target, (...[error]) => resolve({ error, sockets }));
  });
}

test("the connector judges literals itself, whoever asks, before there is a socket", async (t) => {
  const server = await silentServer(t);
  const strict = new OutboundPolicy({ allowLoopback: false, allow: [] });
  for (const hostname of ["127.0.0.1", "::1", "169.254.169.254", "metadata.google.internal."]) {
    for (const protocol of ["http:", "https:"]) {
      const { error, sockets } = await connect(strict, { hostname, protocol, port: String(server.port) });
      assert.ok(error instanceof AddressRefused, hostname);
      assert.equal(sockets.length, 0);
    }
  }
  assert.equal(server.sockets.length, 0);
});

test("the usual port of the scheme decides where the URL names none", async () => {
  const policy = new OutboundPolicy({ allowLoopback: false, allow: ["10.0.0.1:81"] });
  for (const [protocol, port] of [
    ["http:", "80"],
    ["https:", "443"],
  ] as const) {
    const { error } = await connect(policy, { hostname: "10.0.0.1", protocol, port: "" });
    assert.ok(error instanceof AddressRefused);
    assert.match(error.message, new RegExp(`=10\\.0\\.0\\.1:${port}\\.`));
  }
});

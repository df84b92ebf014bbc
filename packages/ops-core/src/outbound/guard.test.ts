import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { OUTBOUND_SETTING, OutboundPolicy } from "./policy.ts";
import type { OutboundResult } from "./result.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./test-certificate.ts";
import { closed, httpServer, listen, localClient } from "./test-servers.ts";

function strict(...allow: string[]): OutboundPolicy {
  return new OutboundPolicy({ allowLoopback: false, allow });
}

/** Answers each lookup with the next list; remembers the names. */
function resolver(...answers: string[][]) {
  const asked: string[] = [];
  const lookup = (hostname: string): Promise<string[]> => {
    asked.push(hostname);
    return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1] ?? []);
  };
  return { asked, lookup };
}

function refused(result: OutboundResult, setting: string | null): void {
  assert.ok(result.kind === "refused", `${result.kind}`);
  assert.equal(result.setting, setting);
}

test("a literal address that is not allowed is refused without a lookup or a connection", async (t) => {
  const server = await httpServer(t, (_, response) => response.end("inside"));
  const { asked, lookup } = resolver(["127.0.0.1"]);
  const client = localClient(t, { policy: strict(), lookup });
  const hosts = ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"];
  for (const host of [...hosts, "0.0.0.0", "[::]", "10.0.0.1", "169.254.7.7"]) {
    refused(await client.get({ url: `http://${host}:${server.port}/` }), OUTBOUND_SETTING);
  }
  assert.deepEqual([asked.length, server.sockets.length], [0, 0]);
});

test("a name that resolves to an address that is not allowed is refused", async (t) => {
  const server = await httpServer(t, (_, response) => response.end("inside"));
  for (const answer of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "fe80::1%lo", "0.0.0.0"]) {
    const client = localClient(t, { policy: strict(), lookup: resolver([answer]).lookup });
    refused(await client.get({ url: `http://agent.test:${server.port}/` }), OUTBOUND_SETTING);
    refused(await client.get({ url: `https://agent.test:${server.port}/` }), OUTBOUND_SETTING);
    assert.equal(client.stats().requests, 0);
  }
  assert.equal(server.sockets.length, 0);
});

test("one bad address among good ones refuses the name", async (t) => {
  const server = await httpServer(t, (_, response) => response.end("inside"));
  const policy = strict("127.0.0.1");
  const client = localClient(t, { policy, lookup: resolver(["127.0.0.1", "10.0.0.1"]).lookup });
  refused(await client.get({ url: `http://agent.test:${server.port}/` }), OUTBOUND_SETTING);
  assert.equal(server.sockets.length, 0);
});

test("metadata addresses are refused by literal and by name, though everything is allowed", async (t) => {
  const policy = new OutboundPolicy({ allowLoopback: true, allow: ["0.0.0.0/0", "::/0", "agent.test"] });
  for (const answer of ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200"]) {
    const client = localClient(t, { policy, lookup: resolver([answer]).lookup });
    refused(await client.get({ url: "http://agent.test/latest/meta-data/" }), null);
  }
  const { asked, lookup } = resolver(["127.0.0.1"]);
  const client = localClient(t, { policy, lookup });
  for (const host of ["169.254.169.254", "[fd00:ec2::254]", "metadata.google.internal", "METADATA.google.internal."]) {
    refused(await client.get({ url: `http://${host}/` }), null);
  }
  assert.equal(asked.length, 0);
});

test("other schemes and credentials are refused", async (t) => {
  const client = localClient(t);
  for (const url of ["file:///etc/passwd", "ftp://agent.test/", "http://a:b@agent.test/"]) {
    refused(await client.get({ url }), null);
  }
});

test("each connection is judged anew: a name that changes its mind is refused the second time", async (t) => {
  const server = await httpServer(t, (_, response) => response.setHeader("connection", "close").end("ok"));
  const { asked, lookup } = resolver(["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]);
  const client = localClient(t, { policy: strict("127.0.0.1"), lookup });
  const url = `http://agent.test:${server.port}/`;
  assert.equal((await client.get({ url })).kind, "response");
  assert.equal((await client.get({ url })).kind, "response");
  refused(await client.get({ url }), OUTBOUND_SETTING);
  assert.deepEqual(asked, ["agent.test", "agent.test", "agent.test"]);
});

test("the judged address is the one that is called, and the server still hears its name", async (t) => {
  const server = await httpServer(t, (request, response) => response.end(request.headers.host));
  const client = localClient(t, { policy: strict("agent.test"), lookup: resolver(["127.0.0.1"]).lookup });
  const result = await client.get({ url: `http://agent.test:${server.port}/` });
  assert.ok(result.kind === "response");
  assert.equal(result.body.toString(), `agent.test:${server.port}`);
});

test("of several addresses the first that answers is taken", async (t) => {
  const server = await httpServer(t, (_, response) => response.end("ok"));
  const client = localClient(t, { lookup: resolver(["127.0.0.2", "127.0.0.1"]).lookup });
  assert.equal((await client.get({ url: `http://agent.test:${server.port}/` })).kind, "response");
});

test("TLS is spoken to the judged address under the URL's name, and the certificate must fit that name", async (t) => {
  const names: (string | false | null)[] = [];
  const tls = createTlsServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (socket: TLSSocket) => {
    names.push(socket.servername);
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
  });
  const server = await listen(t, tls);
  const trusting = localClient(t, { lookup: resolver(["127.0.0.1"]).lookup, tls: { ca: CERTIFICATE } });
  assert.equal((await trusting.get({ url: `https://agent.test:${server.port}/` })).kind, "response");
  assert.deepEqual(names, ["agent.test"]);
  const doubting = localClient(t, { lookup: resolver(["127.0.0.1"]).lookup });
  for (const [client, host] of [
    [trusting, "other.test"],
    [trusting, "127.0.0.1"],
    [doubting, "agent.test"],
  ] as const) {
    const result = await client.get({ url: `https://${host}:${server.port}/` });
    assert.ok(result.kind === "unsent", host);
    assert.equal(result.error.code, "tls_failed");
  }
  await Promise.all(server.sockets.map(closed));
});

test("a server that speaks no TLS leaves the request unsent", async (t) => {
  const server = await httpServer(t, (_, response) => response.end("plain"));
  const result = await localClient(t).get({ url: `https://127.0.0.1:${server.port}/` });
  assert.ok(result.kind === "unsent");
  assert.equal(result.error.code, "tls_failed");
});

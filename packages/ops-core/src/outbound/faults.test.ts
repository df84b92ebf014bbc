import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { systemTimers } from "../system/timers.ts";
import type { OutboundResult } from "./result.ts";
import { closed, freePort, httpServer, localClient, rawServer, silentServer } from "./test-servers.ts";

const MEGABYTE = 1_048_576;
const OK = "HTTP/1.1 200 OK\r\n";

function broken(result: OutboundResult, code: string): void {
  assert.ok(result.kind === "broken", `${result.kind}`);
  assert.equal(result.error.code, code);
}

function unsent(result: OutboundResult, code: string): void {
  assert.ok(result.kind === "unsent", `${result.kind}`);
  assert.equal(result.error.code, code);
}

/** Writes `text` a byte at a time, over and over, as long as the socket lives. */
function drip(socket: Socket, text: string, sent = 0): void {
  if (socket.destroyed) return;
  socket.write(text.charAt(sent % text.length));
  systemTimers.set(4, () => drip(socket, text, sent + 1));
}

/** Ends within its limit and not a second later; the limit itself is never undercut. */
async function timed(limit: number, request: Promise<OutboundResult>): Promise<OutboundResult> {
  const start = performance.now();
  const result = await request;
  const took = performance.now() - start;
  assert.ok(took >= limit && took <= limit + 1_000, `${took} ms`);
  return result;
}

test("a server that never answers costs the time for headers, and its connection is closed", async (t) => {
  const server = await silentServer(t);
  const client = localClient(t);
  broken(await timed(60, client.post({ url: server.url, body: "{}", headersTimeout: 60 })), "timeout");
  await closed(server.sockets[0]);
  broken(await timed(60, client.post({ url: server.url, body: "{}", deadline: 60 })), "timeout");
});

test("a body that drips ends at the deadline, although headers came and bytes keep coming", async (t) => {
  const server = await rawServer(t, (socket) => {
    socket.write(`${OK}content-length: 1000000\r\n\r\n`);
    drip(socket, "x");
  });
  const request = { url: server.url, headersTimeout: 50, deadline: 100 };
  broken(await timed(100, localClient(t).get(request)), "timeout");
  await closed(server.sockets[0]);
});

test("headers that drip, without end, end when headers are due", async (t) => {
  const server = await rawServer(t, (socket) => drip(socket, `${OK}x-slow: yes\r\nx-slow: yes\r\n`));
  broken(await timed(60, localClient(t).get({ url: server.url, headersTimeout: 60 })), "timeout");
});

test("interim answers without end do not put off the time for headers", async (t) => {
  const server = await rawServer(t, (socket) => drip(socket, "HTTP/1.1 102 Processing\r\n\r\n"));
  broken(await timed(60, localClient(t).get({ url: server.url, headersTimeout: 60 })), "timeout");
});

test("an interim answer before the real one is passed over", async (t) => {
  const server = await rawServer(t, (socket) => {
    socket.write(`HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${OK}content-length: 2\r\n\r\nok`);
  });
  const result = await localClient(t).get({ url: server.url });
  assert.ok(result.kind === "response");
  assert.deepEqual([result.status, result.body.toString(), result.headers.link], [200, "ok", undefined]);
});

test("a body without end is cut at a megabyte, and the sender is cut off", async (t) => {
  let sent = 0;
  const server = await httpServer(t, (_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, "x"))) sent += 65_536;
      sent += 65_536;
    };
    response.writeHead(200, { "content-length": 5_000_000_000 }).on("drain", more);
    more();
  });
  const result = await localClient(t).get({ url: server.url });
  assert.ok(result.kind === "response");
  assert.deepEqual([result.status, result.truncated, result.body.length], [200, true, MEGABYTE]);
  await closed(server.sockets[0]);
  assert.ok(sent < 64 * MEGABYTE, `${sent} bytes were taken from the sender`);
});

test("a body of exactly the cap is whole, one byte more is cut, in any framing", async (t) => {
  const frames = (length: number) => [
    `${OK}content-length: ${length}\r\n\r\n${"x".repeat(length)}`,
    `${OK}transfer-encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(length)}0\r\n\r\n`,
    `${OK}connection: close\r\n\r\n${"x".repeat(length)}`,
  ];
  for (const [length, truncated] of [
    [100, false],
    [101, true],
  ] as const) {
    for (const frame of frames(length)) {
      const server = await rawServer(t, (socket) => void socket.end(frame));
      const result = await localClient(t, { bodyCap: 100 }).get({ url: server.url });
      assert.ok(result.kind === "response", frame.slice(0, 50));
      assert.deepEqual([result.truncated, result.body.toString()], [truncated, "x".repeat(100)]);
    }
  }
});

test("a gzip bomb is not unpacked beyond the cap", async (t) => {
  const bomb = gzipSync(Buffer.alloc(100 * MEGABYTE));
  const server = await httpServer(t, (_, response) => response.setHeader("content-encoding", "gzip").end(bomb));
  const before = process.memoryUsage().arrayBuffers;
  const result = await localClient(t).get({ url: server.url });
  assert.ok(result.kind === "response");
  assert.deepEqual([result.status, result.truncated, result.body.length], [200, true, 0]);
  assert.ok(process.memoryUsage().arrayBuffers - before < 20 * MEGABYTE);
});

test("an encoded body is decoded though we asked for a plain one; one we cannot read keeps its status", async (t) => {
  const server = await httpServer(t, (request, response) => {
    const encoding = request.url?.slice(1) ?? "";
    response.writeHead(201, { "content-encoding": encoding }).end(gzipSync('{"a":1}'));
  });
  const base = `http://127.0.0.1:${server.port}`;
  const client = localClient(t);
  const read = await client.get({ url: `${base}/gzip` });
  assert.ok(read.kind === "response");
  assert.deepEqual([read.truncated, read.body.toString()], [false, '{"a":1}']);
  for (const encoding of ["zstd", "br", "gzip,gzip"]) {
    const unread = await client.get({ url: `${base}/${encoding}` });
    assert.ok(unread.kind === "response");
    assert.deepEqual([unread.status, unread.truncated, unread.body.length], [201, true, 0], encoding);
  }
});

test("a body shorter than its length is no answer", async (t) => {
  const server = await rawServer(t, (socket) => void socket.end(`${OK}content-length: 10\r\n\r\nshort`));
  const result = await localClient(t).get({ url: server.url });
  assert.ok(result.kind === "broken");
  assert.ok(["connection_lost", "protocol_error"].includes(result.error.code));
});

test("bytes after a body's length are never the answer to the next request", async (t) => {
  const server = await rawServer(t, (socket, count) => {
    const smuggled = count === 1 ? `${OK}content-length: 4\r\n\r\nevil` : "";
    socket.write(`${OK}content-length: 2\r\n\r\nok${smuggled}`);
  });
  const client = localClient(t);
  for (let i = 0; i < 3; i += 1) {
    const result = await client.get({ url: server.url });
    assert.ok(result.kind === "response");
    assert.equal(result.body.toString(), "ok");
  }
});

test("a connection reset before the answer, in its headers or in its body is broken", async (t) => {
  for (const start of [
    "",
    "HTTP/1.1 200",
    `${OK}content-length: 10\r\n\r\nha`,
    `${OK}transfer-encoding: chunked\r\n\r\n5\r\nha`,
  ]) {
    const server = await rawServer(t, (socket) => {
      if (start === "") socket.resetAndDestroy();
      else socket.write(start, () => socket.resetAndDestroy());
    });
    broken(await localClient(t).post({ url: server.url, body: "{}" }), "connection_lost");
  }
});

test("a connection closed in the middle of a chunked body is broken", async (t) => {
  const server = await rawServer(t, (socket) => void socket.end(`${OK}transfer-encoding: chunked\r\n\r\n5\r\nha`));
  assert.equal((await localClient(t).get({ url: server.url })).kind, "broken");
});

test("what is not HTTP is a protocol error, and so are headers without end", async (t) => {
  const endless = `${OK}${`x-a: ${"y".repeat(1_000)}\r\n`.repeat(100)}\r\n`;
  const smuggling = `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`;
  for (const text of [
    "SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/1.1 OK\r\n\r\n",
    endless,
    `${OK}content-length: x\r\n\r\n`,
    smuggling,
  ]) {
    const server = await rawServer(t, (socket) => void socket.write(text));
    broken(await localClient(t).get({ url: server.url }), "protocol_error");
  }
});

test("an upgrade that nobody asked for is broken", async (t) => {
  const server = await rawServer(t, (socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
  });
  assert.equal((await localClient(t).get({ url: server.url })).kind, "broken");
});

test("header names that mean something to JavaScript are only names", async (t) => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const server = await rawServer(t, (socket) => {
    const lines = names.flatMap((name) => [`${name}: a\r\n`, `${name}: b\r\n`]);
    socket.write(`${OK}${lines.join("")}content-length: 0\r\n\r\n`);
  });
  const result = await localClient(t).get({ url: server.url });
  assert.ok(result.kind === "response");
  assert.equal(Object.getPrototypeOf(result.headers), Object.prototype);
  assert.deepEqual(Object.getOwnPropertyDescriptor(result.headers, "__proto__")?.value, ["a", "b"]);
});

test("a port where nobody listens leaves the request unsent", async (t) => {
  const client = localClient(t);
  const url = `http://127.0.0.1:${await freePort()}/`;
  unsent(await client.post({ url, body: "{}" }), "connect_failed");
  assert.equal(client.stats().requests, 0);
});

test("a name that does not resolve leaves the request unsent", async (t) => {
  const failing = localClient(t, { lookup: () => Promise.reject(new Error("ENOTFOUND")) });
  unsent(await failing.get({ url: "http://nowhere.test/" }), "dns_failed");
  const empty = localClient(t, { lookup: () => Promise.resolve([]) });
  unsent(await empty.get({ url: "http://nowhere.test/" }), "dns_failed");
});

test("a lookup that never ends, or a handshake that never ends, costs the time for connecting", async (t) => {
  const server = await silentServer(t);
  const client = localClient(t, { connectTimeout: 60, lookup: () => new Promise(() => {}) });
  unsent(await timed(60, client.get({ url: "http://nowhere.test/" })), "connect_timeout");
  unsent(await timed(60, client.get({ url: `https://127.0.0.1:${server.port}/` })), "connect_timeout");
  await closed(server.sockets[0]);
  assert.equal(client.stats().requests, 0);
});

test("the deadline covers connecting too", async (t) => {
  const client = localClient(t, { connectTimeout: 100, lookup: () => new Promise(() => {}) });
  unsent(await timed(20, client.get({ url: "http://nowhere.test/", deadline: 20 })), "timeout");
});

test("while one origin hangs, another answers as ever", async (t) => {
  const slow = await silentServer(t);
  const quick = await httpServer(t, (_, response) => response.end("ok"));
  const client = localClient(t);
  const hanging = Array.from({ length: 50 }, () => client.get({ url: slow.url, headersTimeout: 100 }));
  for (let i = 0; i < 50; i += 1) assert.equal((await client.get({ url: quick.url })).kind, "response");
  for (const result of await Promise.all(hanging)) broken(result, "timeout");
  assert.equal(client.stats().requests, 0);
});

test("no fault tells an address or what the other side wrote", async (t) => {
  const server = await rawServer(t, (socket) => void socket.end("secret words\r\n\r\n"));
  const client = localClient(t, { lookup: () => Promise.resolve(["127.0.0.1"]) });
  for (const url of [`http://agent.test:${server.port}/`, "http://agent.test:1/"]) {
    const result = await client.get({ url });
    assert.ok(result.kind === "broken" || result.kind === "unsent");
    assert.doesNotMatch(result.error.message, /127|secret/);
    assert.ok(result.error.cause instanceof Error);
  }
});

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { OutboundResult } from "./result.ts";
import { closed, connected, freePort, httpServer, localClient, rawServer, silentServer } from "./test-servers.ts";
import { TestTimers } from "./test-timers.ts";

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

/** Writes the pieces (the bytes of a text) one at a time, over and over; resolves when several are through. */
function drip(socket: Socket, pieces: string | string[], onSeveral: () => void, sent = 0): void {
  if (socket.destroyed) return;
  socket.write(pieces[sent % pieces.length] ?? "");
  if (sent === 10) onSeveral();
  setImmediate(drip, socket, pieces, onSeveral, sent + 1);
}

/** A moment inside a server, and how a request is doing then. */
function moment() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { reached: promise, reach: () => resolve() };
}

async function isOpen(request: Promise<OutboundResult>): Promise<boolean> {
  const turn = new Promise<null>((resolve) => setImmediate(resolve, null));
  return (await Promise.race([request, turn])) === null;
}

test("a server that never answers costs the time for headers, and its connection is closed", async (t) => {
  for (const limits of [{ headersTimeout: 10_000 }, { headersTimeout: 60_000, deadline: 10_000 }]) {
    const timers = new TestTimers();
    const { reached, reach } = moment();
    const server = await rawServer(t, reach);
    const request = localClient(t, { timers }).post({ url: server.url, body: "{}", ...limits });
    await reached;
    timers.advance(9_999);
    assert.ok(await isOpen(request));
    timers.advance(51);
    broken(await request, "timeout");
    await closed(server.sockets[0]);
  }
});

test("a body that drips ends at the deadline, although headers came and bytes keep coming", async (t) => {
  const timers = new TestTimers();
  const { reached, reach } = moment();
  const server = await rawServer(t, (socket) => {
    socket.write(`${OK}content-length: 1000000\r\n\r\n`);
    drip(socket, "x", reach);
  });
  const request = localClient(t, { timers }).get({ url: server.url, headersTimeout: 5_000, deadline: 20_000 });
  await reached;
  timers.advance(19_999);
  assert.ok(await isOpen(request), "the time for headers no longer counts");
  timers.advance(51);
  broken(await request, "timeout");
  await closed(server.sockets[0]);
});

test("headers or interim answers that never end do not put off the time for headers", async (t) => {
  for (const pieces of [`${OK}x-slow: yes\r\n`, ["HTTP/1.1 102 Processing\r\n\r\n"]]) {
    const timers = new TestTimers();
    const { reached, reach } = moment();
    const server = await rawServer(t, (socket) => drip(socket, pieces, reach));
    const request = localClient(t, { timers }).get({ url: server.url, headersTimeout: 5_000 });
    await reached;
    timers.advance(4_999);
    assert.ok(await isOpen(request));
    timers.advance(51);
    broken(await request, "timeout");
  }
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

test("a connection closed before the answer, or in the middle of a chunked body, is broken", async (t) => {
  const silent = await rawServer(t, (socket) => void socket.end());
  broken(await localClient(t).get({ url: silent.url }), "connection_lost");
  const cut = await rawServer(t, (socket) => void socket.end(`${OK}transfer-encoding: chunked\r\n\r\n5\r\nha`));
  assert.equal((await localClient(t).get({ url: cut.url })).kind, "broken");
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

test("a lookup or a handshake that never ends costs the time for connecting", async (t) => {
  const server = await silentServer(t);
  for (const host of ["http://nowhere.test", "https://127.0.0.1"]) {
    const timers = new TestTimers();
    const { reached, reach } = moment();
    const lookup = () => {
      reach();
      return new Promise<never>(() => {});
    };
    const client = localClient(t, { timers, lookup });
    const request = client.get({ url: `${host}:${server.port}/` });
    if (host.startsWith("https")) void connected(server).then(reach);
    await reached;
    timers.advance(2_999);
    assert.ok(await isOpen(request));
    timers.advance(1);
    unsent(await request, "connect_timeout");
    assert.equal(client.stats().requests, 0);
  }
  await closed(server.sockets[0]);
});

test("the deadline covers connecting too", async (t) => {
  const timers = new TestTimers();
  const client = localClient(t, { timers, lookup: () => new Promise(() => {}) });
  const request = client.get({ url: "http://nowhere.test/", deadline: 1_000 });
  timers.advance(1_050);
  unsent(await request, "timeout");
});

test("while one origin hangs, another answers as ever", async (t) => {
  const timers = new TestTimers();
  const slow = await silentServer(t);
  const quick = await httpServer(t, (_, response) => response.end("ok"));
  const client = localClient(t, { timers });
  const hanging = Array.from({ length: 50 }, () => client.get({ url: slow.url }));
  for (let i = 0; i < 50; i += 1) assert.equal((await client.get({ url: quick.url })).kind, "response");
  assert.equal(client.stats().requests, 50);
  timers.advance(30_050);
  for (const result of await Promise.all(hanging)) broken(result, "timeout");
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

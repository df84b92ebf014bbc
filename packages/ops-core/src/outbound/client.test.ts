import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { closed, connected, httpServer, localClient, rawServer, silentServer } from "./test-servers.ts";
import { TestTimers } from "./test-timers.ts";

test("a POST arrives with its body and headers, and its answer comes back whole", async (t) => {
  const server = await httpServer(t, async (request, response) => {
    const body = (await request.toArray()).join("");
    const { method, url, headers } = request;
    response.setHeader("X-Answer", "yes").end(JSON.stringify({ method, url, headers, body }));
  });
  const result = await localClient(t).post({
    url: `${server.url}?a=b%20c#fragment`,
    headers: { "content-type": "application/json", "idempotency-key": "task_1" },
    body: '{"ä":1}',
  });
  assert.ok(result.kind === "response");
  assert.equal(result.status, 200);
  assert.equal(result.truncated, false);
  assert.equal(result.headers["x-answer"], "yes");
  const seen = JSON.parse(result.body.toString());
  assert.deepEqual([seen.method, seen.url, seen.body], ["POST", "/task?a=b%20c", '{"ä":1}']);
  assert.deepEqual(seen.headers, {
    host: `127.0.0.1:${server.port}`,
    connection: "keep-alive",
    "user-agent": "opspawn",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "idempotency-key": "task_1",
    "content-length": "8",
  });
});

test("bytes are sent as they are, and a GET has no body", async (t) => {
  const server = await httpServer(t, async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    response.end(`${request.method} ${body.toString("hex")} ${request.headers["content-length"]}`);
  });
  const client = localClient(t);
  const posted = await client.post({ url: server.url, body: new Uint8Array([0, 255, 128]) });
  assert.equal(posted.kind === "response" && posted.body.toString(), "POST 00ff80 3");
  const got = await client.get({ url: server.url });
  assert.equal(got.kind === "response" && got.body.toString(), "GET  undefined");
});

test("redirects are answers: the place they name is never called", async (t) => {
  let calls = 0;
  const target = await httpServer(t, (_, response) => {
    calls += 1;
    response.end();
  });
  for (const status of [301, 302, 303, 307, 308]) {
    const server = await httpServer(t, (_, response) => response.writeHead(status, { location: target.url }).end("x"));
    const result = await localClient(t).post({ url: server.url, body: "{}" });
    assert.ok(result.kind === "response");
    assert.deepEqual([result.status, result.headers.location], [status, target.url]);
  }
  assert.equal(calls, 0);
});

test("connections are kept and used again", async (t) => {
  const server = await httpServer(t, (_, response) => response.end("ok"));
  const client = localClient(t);
  for (let i = 0; i < 20; i += 1) assert.equal((await client.get({ url: server.url })).kind, "response");
  assert.ok(server.sockets.length <= 2, `${server.sockets.length} connections`);
});

test("a kept connection that the other side closed is replaced before anything is written", async (t) => {
  const server = await httpServer(t, (_, response) => response.end("ok"));
  const client = localClient(t);
  await client.get({ url: server.url });
  const [first] = server.sockets;
  first?.end();
  await closed(first);
  assert.equal((await client.post({ url: server.url, body: "{}" })).kind, "response");
  assert.equal(server.sockets.length, 2);
});

test("a request that dies on a kept connection is broken, and is not sent again", async (t) => {
  let answered = 0;
  const server = await rawServer(t, (socket, count) => {
    answered = count;
    if (count === 1) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    else socket.resetAndDestroy();
  });
  const client = localClient(t);
  assert.equal((await client.get({ url: server.url })).kind, "response");
  const result = await client.get({ url: server.url });
  assert.ok(result.kind === "broken");
  assert.equal(result.error.code, "connection_lost");
  assert.equal(answered, 2);
});

test("one request too many for an origin is not sent, and others are not held up by it", async (t) => {
  const slow = await silentServer(t);
  const quick = await httpServer(t, (_, response) => response.end());
  const client = localClient(t, { perOrigin: 1, inAll: 2 });
  const abort = new AbortController();
  const waiting = client.get({ url: slow.url, signal: abort.signal });
  const refused = await client.get({ url: slow.url });
  assert.ok(refused.kind === "unsent");
  assert.equal(refused.error.code, "pool_full");
  assert.equal((await client.get({ url: quick.url })).kind, "response");
  abort.abort();
  await waiting;
});

test("there is one limit for all origins together", async (t) => {
  const servers = [await silentServer(t), await silentServer(t)] as const;
  const client = localClient(t, { inAll: 1 });
  const abort = new AbortController();
  const waiting = client.get({ url: servers[0].url, signal: abort.signal });
  const refused = await client.get({ url: servers[1].url });
  assert.ok(refused.kind === "unsent");
  assert.equal(refused.error.code, "pool_full");
  abort.abort();
  await waiting;
});

test("connections beyond the idle limit are closed, the least recently used first", async (t) => {
  const servers = [];
  for (let i = 0; i < 4; i += 1) servers.push(await httpServer(t, (_, response) => response.end()));
  const client = localClient(t, { idle: 2 });
  for (const { url } of servers) assert.equal((await client.get({ url })).kind, "response");
  await Promise.all([closed(servers[0]?.sockets[0]), closed(servers[1]?.sockets[0])]);
  assert.equal(servers[3]?.sockets[0]?.destroyed, false);
  assert.equal(client.stats().origins, 2);
});

test("giving up by signal ends the request at once and frees its connection", async (t) => {
  const abort = new AbortController();
  const server = await rawServer(t, () => abort.abort());
  const client = localClient(t);
  const result = await client.post({ url: server.url, body: "{}", signal: abort.signal });
  assert.ok(result.kind === "broken");
  assert.equal(result.error.code, "aborted");
  await closed(server.sockets[0]);
  assert.deepEqual(client.stats(), { requests: 0, sockets: 0, origins: 1 });
});

test("a signal that outlives its requests keeps nothing of them", async (t) => {
  const server = await httpServer(t, (_, response) => response.end());
  const client = localClient(t);
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i += 1) await client.get({ url: server.url, signal });
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("giving up before there is a connection leaves the request unsent", async (t) => {
  const server = await silentServer(t);
  const looked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string[]>();
  const lookup = () => {
    looked.resolve();
    return answer.promise;
  };
  const client = localClient(t, { lookup });
  const abort = new AbortController();
  const waiting = client.get({ url: `http://agent.test:${server.port}/`, signal: abort.signal });
  await looked.promise;
  abort.abort();
  const result = await waiting;
  assert.ok(result.kind === "unsent");
  assert.equal(result.error.code, "aborted");
  const already = await client.get({ url: server.url, signal: abort.signal });
  assert.ok(already.kind === "unsent");
  answer.resolve(["127.0.0.1"]);
  // The connection that was on its way is dropped without a byte.
  await connected(server);
  await closed(server.sockets[0]);
  assert.equal(server.sockets[0]?.bytesRead, 0);
  assert.equal(client.stats().requests, 0);
});

test("the first byte is announced once, when a connection stands, and can be refused", async (t) => {
  const server = await httpServer(t, (_, response) => response.end());
  const client = localClient(t);
  let announced = 0;
  const onFirstByte = () => {
    announced += 1;
  };
  assert.equal((await client.post({ url: server.url, body: "x", onFirstByte })).kind, "response");
  assert.equal(announced, 1);
  const before = server.sockets.reduce((bytes, socket) => bytes + socket.bytesRead, 0);
  const withdrawn = await client.post({ url: server.url, body: "x", onFirstByte: () => false });
  assert.ok(withdrawn.kind === "unsent");
  assert.equal(withdrawn.error.code, "withdrawn");
  await Promise.race(server.sockets.map(closed));
  assert.equal(
    server.sockets.reduce((bytes, socket) => bytes + socket.bytesRead, 0),
    before,
  );
});

test("a request that cannot be written as HTTP is unsent, and a text that is no URL is refused", async (t) => {
  const server = await silentServer(t);
  const client = localClient(t);
  const injected = await client.post({ url: server.url, headers: { "x-a": "b\r\nx-c: d" }, body: "" });
  assert.ok(injected.kind === "unsent");
  assert.equal(injected.error.code, "invalid_request");
  const wrong = await client.get({ url: "no url" });
  assert.deepEqual(wrong, { kind: "refused", reason: "This is not a URL.", setting: null });
  assert.equal(server.sockets.length, 0);
});

test("closing ends what is open and refuses what comes later", async (t) => {
  const server = await silentServer(t);
  const client = localClient(t, { lookup: () => new Promise(() => {}) });
  const started = Promise.withResolvers<void>();
  const open = client.get({ url: server.url, onFirstByte: () => started.resolve() });
  const connecting = client.get({ url: `http://agent.test:${server.port}/` });
  await started.promise;
  await client.close();
  const result = await open;
  assert.ok(result.kind === "broken");
  assert.equal(result.error.code, "shutdown");
  assert.equal((await connecting).kind, "unsent");
  const later = await client.get({ url: server.url });
  assert.ok(later.kind === "unsent");
  assert.equal(later.error.code, "shutdown");
  await Promise.all(server.sockets.map(closed));
  assert.equal(client.stats().requests, 0);
});

test("a closed client leaves no socket and no timer, whatever it was doing", async (t) => {
  const [plain, handshaking] = [await silentServer(t), await silentServer(t)];
  const timers = new TestTimers();
  const client = localClient(t, { timers });
  const requests = [client.get({ url: plain.url }), client.get({ url: `https://127.0.0.1:${handshaking.port}/` })];
  await Promise.all([connected(plain), connected(handshaking)]);
  await client.close();
  await Promise.all(requests);
  await Promise.all([closed(plain.sockets[0]), closed(handshaking.sockets[0])]);
  assert.equal(timers.waiting.length, 0);
  assert.deepEqual(client.stats(), { requests: 0, sockets: 0, origins: 0 });
});

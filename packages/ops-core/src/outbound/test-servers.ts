import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { systemTimers } from "../system/timers.ts";
import { OutboundClient, type OutboundOptions } from "./client.ts";
import { OutboundPolicy } from "./policy.ts";

/** A server on loopback that counts what reaches it, and is gone when the test is. */
export interface TestServer {
  readonly port: number;
  readonly url: string;
  /** Every connection ever accepted. */
  readonly sockets: Socket[];
}

/** Serves well-formed HTTP. */
export function httpServer(t: TestContext, listener: RequestListener): Promise<TestServer> {
  return listen(t, createHttpServer({ keepAliveTimeout: 60_000 }, listener));
}

/** Serves whatever `onRequest` writes, called for each request whose headers have arrived whole. */
export function rawServer(t: TestContext, onRequest: (socket: Socket, count: number) => void): Promise<TestServer> {
  let count = 0;
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      text = "";
      count += 1;
      onRequest(socket, count);
    });
  });
  return listen(t, server);
}

/** Accepts connections and says nothing at all. */
export function silentServer(t: TestContext): Promise<TestServer> {
  return rawServer(t, () => {});
}

export async function listen(t: TestContext, server: Server): Promise<TestServer> {
  const sockets: Socket[] = [];
  server.on("connection", (socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}/task`, sockets };
}

/** A client that may call loopback, closed when the test ends. */
export function localClient(t: TestContext, options: Partial<OutboundOptions> = {}): OutboundClient {
  const policy = new OutboundPolicy({ allowLoopback: true, allow: [] });
  const client = new OutboundClient({ policy, timers: systemTimers, ...options });
  t.after(() => client.close());
  return client;
}

/** Resolves when a first connection has been accepted. */
export async function connected({ sockets }: TestServer): Promise<void> {
  while (sockets.length === 0) await new Promise(setImmediate);
}

/** Resolves when the socket is closed, at once when it already is. */
export async function closed(socket: Socket | undefined): Promise<void> {
  if (socket === undefined) throw new Error("there was no connection");
  if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
}

/** A port on which nobody listens (any more). */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

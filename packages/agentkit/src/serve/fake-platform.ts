import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request the fake platform received. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly key: string | null;
  readonly body: Record<string, unknown>;
}

export interface FakeReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** A platform for tests: keeps what it receives, registers every agent, accepts every state and result. */
export class FakePlatform {
  readonly received: Received[] = [];
  /** Decides answers before the defaults do. */
  reply: (request: Received) => FakeReply | undefined = () => undefined;
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();
  url = "";

  constructor() {
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves with the first request to a path that ends so, once there is one. */
  request(pathEnd: string): Promise<Received> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.received.find(({ path }) => path.endsWith(pathEnd));
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received: Received = {
      method: request.method ?? "",
      path: request.url ?? "",
      key: request.headers.authorization?.replace("Bearer ", "") ?? null,
      body: JSON.parse((await text(request)) || "{}"),
    };
    this.received.push(received);
    for (const watcher of this.#watchers) watcher();
    const { status, body = {}, headers = {} } = this.reply(received) ?? defaultReply(received);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  }
}

function defaultReply({ path }: Received): FakeReply {
  if (path === "/v1/agents/register") {
    const body = { status: "success", message: "", data: { agentId: "agent-1" }, error_code: null };
    return { status: 201, body, headers: { "x-agent-key": "opk_agent_1" } };
  }
  return { status: path.endsWith("/result") ? 200 : 202 };
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonValue } from "@opspawn/contract";
import { readBody } from "./body.ts";
import type { Logger } from "./logger.ts";
import { cancelOrderOf, readMessage } from "./message.ts";
import { Refusal } from "./refusal.ts";
import type { Workload } from "./workload.ts";

export interface AgentServerOptions {
  readonly workload: Workload;
  readonly logger: Logger;
  /** Bytes. */
  readonly maxBody: number;
  /** Null until the agent is registered. */
  readonly agentId: () => string | null;
  /** Throws a Refusal when the request does not come from the platform. */
  readonly verify: (request: IncomingMessage, body: Buffer) => void;
}

/** The HTTP side of an agent: `POST /` takes a task, `GET /health` says whether the agent is registered. */
export class AgentServer {
  readonly #options: AgentServerOptions;
  readonly #server: Server;
  #draining = false;

  constructor(options: AgentServerOptions) {
    this.#options = options;
    this.#server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, (request, response) => {
      void this.#handle(request, response);
    });
  }

  /** Resolves with the port. Rejects when it is taken. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** From now on deliveries are answered 503. */
  refuseTasks(): void {
    this.#draining = true;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.destroyed || response.headersSent) return;
      const refusal = error instanceof Refusal ? error : this.#defect(error);
      const body = JSON.stringify({ detail: refusal.message, code: refusal.code });
      send(response, refusal.status, body, refusal.headers);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "/").split("?", 1)[0];
    if (path === "/health") {
      allow(request, "GET");
      const agentId = this.#options.agentId();
      const status = agentId === null ? "registering" : "healthy";
      return send(response, agentId === null ? 503 : 200, JSON.stringify({ status, agent_id: agentId }));
    }
    if (path !== "/") throw new Refusal(404, "not_found", "Tasks are taken at POST /, health is told at GET /health.");
    allow(request, "POST");
    await this.#takeTask(request, response);
  }

  async #takeTask(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBody(request, this.#options.maxBody);
    this.#options.verify(request, raw);
    const message = readMessage(parseJson(raw));
    // What is to stop may stop sooner.
    if (this.#draining && cancelOrderOf(message) === null) {
      throw new Refusal(503, "agent_stopping", "This agent is stopping.", { "retry-after": "1" });
    }
    const header = request.headers["idempotency-key"];
    const key = (typeof header === "string" && header !== "" ? header : null) ?? message.ticket?.taskId ?? null;
    const { workload } = this.#options;
    const order = cancelOrderOf(message);
    const answer = order === null ? await workload.accept(message, key) : workload.cancel(order, order.ticket.taskId);
    if (response.destroyed) return answer.lost();
    response.once("close", () => {
      if (!response.writableFinished) answer.lost();
    });
    send(response, answer.status, answer.body);
  }

  #defect(error: unknown): Refusal {
    this.#options.logger.error({ error: error instanceof Error ? error.stack : String(error) }, "request failed");
    return new Refusal(500, "internal", "The agent has a defect; see its log.");
  }
}

function allow(request: IncomingMessage, method: string): void {
  if (request.method === method) return;
  throw new Refusal(405, "method_not_allowed", `Use ${method}.`, { allow: method });
}

function parseJson(raw: Buffer): JsonValue {
  try {
    return JSON.parse(raw.toString("utf8")) as JsonValue;
  } catch {
    throw new Refusal(400, "json_invalid", "The body is not well-formed JSON.");
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

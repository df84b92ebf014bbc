import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "../harness/body.ts";
import type { Product } from "../harness/product.ts";

const ANSWER = JSON.stringify({ status: "completed", result: { done: true } });

/** An agent that does any number of things at once, each in no time, and answers with the outcome. */
export class AnsweringAgent {
  static readonly CAPABILITY = "bench.answer";
  readonly #server: Server;
  /** When each task came, in milliseconds. */
  readonly arrivals: number[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<AnsweringAgent> {
    const server = createServer();
    const agent = new AnsweringAgent(server);
    server.on("request", (request, response) => {
      readBody(request, () => {
        agent.arrivals.push(performance.now());
        response.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length }).end(ANSWER);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return agent;
  }

  async workFor(product: Product): Promise<void> {
    await product.call("POST", "/v1/opscore/agents", {
      agentName: "answering",
      capabilities: [AnsweringAgent.CAPABILITY],
      contactEndpoint: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/task`,
      maxConcurrency: 200,
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

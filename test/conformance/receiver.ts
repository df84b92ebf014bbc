import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answering = (response: ServerResponse, received: Received) => void;

/** Whatever is called by the server under test: keeps what came, and answers as it is told. */
export class Receiver {
  readonly received: Received[] = [];
  answer: Answering = (response) => void response.writeHead(200).end();
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        const received = { method, path: url, headers, body };
        this.received.push(received);
        this.answer(response, received);
      });
    });
  }

  /** Listens; at the same port again after it was closed. */
  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Answers everything from now on with this. */
  answers(status: number, body = "", headers: Readonly<Record<string, string>> = {}): void {
    const type = body === "" ? {} : { "content-type": "application/json" };
    this.answer = (response) => void response.writeHead(status, { ...type, ...headers }).end(body);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

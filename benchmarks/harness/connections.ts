import type { IncomingHttpHeaders } from "node:http";
import { Client, type Dispatcher } from "undici";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Name, value, name, value ... */
  readonly headers: readonly string[];
  readonly body: string | null;
}

const TIMEOUT_MS = 60_000;

/**
 * Keep-alive connections to one origin, each with one request at a time; the one used last is used first. A stack of
 * undici's clients, because its own pool looks through all connections for every request, and a load generator should
 * cost as little as it can.
 */
export class Connections {
  readonly #origin: string;
  readonly #all: Client[] = [];
  readonly #free: Client[] = [];
  /** Called with everything that was sent and how it was answered; null = nobody looks. */
  onExchange: ((request: Request, answer: Answer) => void) | null = null;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Sends a request and reads the whole answer; rejects when the connection fails. */
  send(request: Request): Promise<Answer> {
    const client = this.#free.pop() ?? this.#open();
    return new Promise((resolve, reject) => {
      const exchange = new Exchange((error) => {
        this.#free.push(client);
        if (error !== null) return reject(error);
        const answer = exchange.answer();
        this.onExchange?.(request, answer);
        resolve(answer);
      });
      client.dispatch(request as Dispatcher.DispatchOptions, exchange);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((client) => client.destroy()));
  }

  #open(): Client {
    const client = new Client(this.#origin, { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
    this.#all.push(client);
    return client;
  }
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #done: (error: Error | null) => void;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  readonly #chunks: Buffer[] = [];

  constructor(done: (error: Error | null) => void) {
    this.#done = done;
  }

  answer(): Answer {
    const [first] = this.#chunks;
    const isWhole = this.#chunks.length === 1 && first !== undefined;
    const bytes = isWhole ? first : Buffer.concat(this.#chunks);
    return { status: this.#status, headers: this.#headers, body: bytes.toString("utf8") };
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#done(null);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#done(error);
  }
}

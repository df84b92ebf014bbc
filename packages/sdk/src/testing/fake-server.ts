import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  allOperations,
  type EventView,
  type JsonValue,
  type Operation,
  type OperationOutput,
  parseJson,
  stringifyJson,
} from "@opspawn/contract";

/** One request as it arrived, already held against the operation's schemas. */
export interface FakeCall {
  /** `sessions.start`, or `POST /some/path` for a route that is no operation. */
  readonly id: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: JsonValue | undefined;
  readonly headers: IncomingMessage["headers"];
  /** Aborted when the caller went away. */
  readonly signal: AbortSignal;
}

/** An answer other than the operation's success. */
export class FakeFailure {
  readonly status: number;
  readonly body: JsonValue | string;
  readonly headers: Readonly<Record<string, string>>;

  /** @param body JSON, or text to be sent as it is */
  constructor(status: number, body: JsonValue | string, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** Ends the connection without an answer. */
export class HangUp {
  readonly hangUp = true;
}

export interface FakeStreamOptions {
  /** The status in an `end` behind the events. */
  readonly end?: string;
  /** The connection stays open behind them; else it is closed, or cut off. */
  readonly after?: "stay" | "close" | "cut";
  /** The reason in a `reset` before the events. */
  readonly reset?: string;
}

/** Events as a stream; the cursor of each is `c` and its position. */
export class FakeStream {
  readonly events: readonly EventView[];
  readonly options: FakeStreamOptions;

  constructor(events: readonly EventView[], options: FakeStreamOptions = {}) {
    this.events = events;
    this.options = options;
  }

  get text(): string {
    const { end, reset } = this.options;
    const frames = this.events.map((event) => `id: c${event.position}\ndata: ${JSON.stringify(event)}\n\n`);
    if (reset !== undefined) frames.unshift(`id\nevent: reset\ndata: ${JSON.stringify({ reason: reset })}\n\n`);
    if (end !== undefined) frames.push(`event: end\ndata: ${JSON.stringify({ status: end })}\n\n`);
    return `retry: 1000\n\n${frames.join("")}`;
  }
}

type Reply<T> = T | FakeFailure | FakeStream | HangUp;
type Answer<T> = Reply<T> | ((call: FakeCall) => Reply<T> | Promise<Reply<T>>);

/**
 * A server for tests of clients: answers what the test says, and holds every request and every answer against the
 * contract. `close` throws when something did not fit.
 */
export class FakeServer {
  readonly calls: FakeCall[] = [];
  readonly problems: string[] = [];
  readonly #answers = new Map<string, Answer<unknown>[]>();
  readonly #apiKey: string | undefined;
  readonly #server: Server;

  private constructor(apiKey: string | undefined) {
    this.#apiKey = apiKey;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** @param options.apiKey when given, every request must carry it, and none may when it is not */
  static async start(options: { apiKey?: string } = {}): Promise<FakeServer> {
    const fake = new FakeServer(options.apiKey);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers of an operation, used in turn; the last one stays. */
  on<Op extends Operation>(operation: Op, ...answers: Answer<OperationOutput<Op>>[]): this {
    this.#answers.set(operation.id, answers);
    return this;
  }

  /** Answers of a route that is no operation. */
  onRoute(method: string, path: string, ...answers: Answer<JsonValue>[]): this {
    this.#answers.set(`${method} ${path}`, answers);
    return this;
  }

  callsOf(id: string): FakeCall[] {
    return this.calls.filter((call) => call.id === id);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.problems.length > 0) throw new Error(`The contract was not kept:\n${this.problems.join("\n")}`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.on("close", () => left.abort());
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const reply = await this.#reply(request, Buffer.concat(chunks), left.signal);
    if (reply instanceof HangUp) return void request.socket.destroy();
    if (reply instanceof FakeStream) return sendStream(response, reply);
    const { status, body, headers } = reply;
    response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_fake", ...headers });
    response.end(typeof body === "string" ? body : stringifyJson(body));
  }

  async #reply(
    request: IncomingMessage,
    bytes: Buffer,
    signal: AbortSignal,
  ): Promise<FakeFailure | FakeStream | HangUp> {
    const url = new URL(request.url ?? "/", this.baseUrl);
    const found = match(request.method ?? "", url.pathname);
    const id = found?.operation.id ?? `${request.method} ${url.pathname}`;
    const body = bytes.length === 0 ? undefined : parseJson(bytes);
    const query = Object.fromEntries(url.searchParams);
    const call: FakeCall = { id, params: found?.params ?? {}, query, body, headers: request.headers, signal };
    this.calls.push(call);
    this.#checkHeaders(call, found?.operation);
    if (found !== undefined) this.#checkRequest(call, found.operation);
    const reply = await this.#next(id, call);
    if (reply instanceof HangUp || reply instanceof FakeFailure) return reply;
    if (reply instanceof FakeStream) {
      for (const event of reply.events) this.#check(`${id}: message`, found?.operation.stream?.message, event);
      return reply;
    }
    if (found !== undefined) this.#check(`${id}: answer`, found.operation.output, reply);
    return new FakeFailure(found?.operation.status ?? 200, reply as JsonValue);
  }

  async #next(id: string, call: FakeCall): Promise<Reply<unknown>> {
    const answers = this.#answers.get(id);
    if (answers === undefined || answers.length === 0) {
      this.problems.push(`${id}: was not expected`);
      return new FakeFailure(404, { detail: "Not Found", code: "not_found", requestId: "req_fake" });
    }
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return typeof answer === "function" ? (answer as (call: FakeCall) => Reply<unknown>)(call) : answer;
  }

  #checkHeaders(call: FakeCall, operation: Operation | undefined): void {
    const expected = this.#apiKey === undefined ? undefined : `Bearer ${this.#apiKey}`;
    if (call.headers.authorization !== expected)
      this.problems.push(`${call.id}: authorization is not the one expected`);
    const type = call.body === undefined ? undefined : "application/json";
    if (call.headers["content-type"] !== type) this.problems.push(`${call.id}: content-type must be ${type}`);
    const keyed = call.headers["idempotency-key"] !== undefined;
    if (keyed !== (operation?.idempotency === "key")) {
      this.problems.push(`${call.id}: idempotency-key is ${keyed ? "not taken here" : "missing"}`);
    }
  }

  #checkRequest(call: FakeCall, operation: Operation): void {
    this.#check(`${call.id}: params`, operation.params, call.params);
    const isStream = call.headers.accept === "text/event-stream";
    const query = isStream ? operation.stream?.query : operation.query;
    this.#check(`${call.id}: query`, query?.strict(), call.query);
    this.#check(`${call.id}: body`, operation.body, call.body);
    if (operation.query === undefined && Object.keys(call.query).length > 0) {
      this.problems.push(`${call.id}: takes no query`);
    }
    if (operation.body === undefined && call.body !== undefined) this.problems.push(`${call.id}: takes no body`);
  }

  #check(what: string, schema: Operation["body"], value: unknown): void {
    const parsed = schema?.safeParse(value);
    for (const issue of parsed?.error?.issues ?? []) {
      this.problems.push(`${what} at ${issue.path.join(".") || "its root"}: ${issue.message}`);
    }
  }
}

function sendStream(response: ServerResponse, stream: FakeStream): void {
  const { after = "close" } = stream.options;
  response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_fake" });
  response.write(stream.text, () => {
    if (after === "close") response.end();
    if (after === "cut") response.destroy();
  });
}

function match(method: string, path: string): { operation: Operation; params: Record<string, string> } | undefined {
  for (const operation of allOperations) {
    const names: string[] = [];
    const pattern = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
      names.push(name);
      return "([^/]+)";
    });
    const values = operation.method === method ? new RegExp(`^${pattern}$`).exec(path) : null;
    if (values === null) continue;
    return {
      operation,
      params: Object.fromEntries(names.map((name, n) => [name, decodeURIComponent(values[n + 1] ?? "")])),
    };
  }
  return undefined;
}

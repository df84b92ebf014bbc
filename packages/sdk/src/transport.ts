import {
  type JsonValue,
  type Operation,
  type OperationOutput,
  type OperationRequest,
  OpspawnError,
  stringifyJson,
} from "@opspawn/contract";
import { normalBaseUrl, requestPath } from "./address.ts";
import { readAnswer } from "./answer.ts";
import { type Chance, type Clock, systemChance, systemClock } from "./clock.ts";
import { microsOf } from "./duration.ts";
import { OpspawnConnectionError, unreachable } from "./errors.ts";
import { retrying } from "./retry.ts";

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8000`. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`. */
  readonly apiKey?: string | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /** Bounds one call, its retries included; a call that waits for news gets its wait on top. Default `30s`. */
  readonly timeout?: string | undefined;
  /** Tries after the first, where repeating is safe. Default 2. */
  readonly maxRetries?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly chance?: Chance | undefined;
}

export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the client's. */
  readonly timeout?: string | undefined;
  /** Instead of the client's. */
  readonly maxRetries?: number | undefined;
}

export interface KeyedCallOptions extends CallOptions {
  /** The same key and body = the same answer for 24 h. Default: a new key for each call, the same for its retries. */
  readonly idempotencyKey?: string | undefined;
}

const STREAM_TYPE = "text/event-stream";

/** What the nouns leave out is empty. */
export interface CallRequest<Op extends Operation> {
  readonly params?: OperationRequest<Op>["params"];
  readonly query?: OperationRequest<Op>["query"];
  readonly body?: OperationRequest<Op>["body"];
}

export interface WireRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string | undefined;
  /** Microseconds the server may hold the request. */
  readonly wait?: number;
}

/** Sends requests and reads answers: where keys, time limits and retries live. */
export class Transport {
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly #fetch: typeof fetch;
  readonly #headers: Record<string, string>;
  readonly #timeout: number;
  readonly #maxRetries: number;

  constructor(options: ClientOptions) {
    this.baseUrl = normalBaseUrl(options.baseUrl);
    this.clock = options.clock ?? systemClock;
    this.chance = options.chance ?? systemChance;
    this.#fetch = options.fetch ?? fetch;
    this.#headers = { accept: "application/json", ...bearer(options.apiKey) };
    this.#timeout = microsOf(options.timeout ?? "30s", "timeout");
    this.#maxRetries = options.maxRetries ?? 2;
  }

  /**
   * Calls an operation; its answer is trusted to be of the declared shape. Repeating is safe for all of them: they read,
   * repeat without effect, or carry a key.
   */
  async call<Op extends Operation>(
    operation: Op,
    request: CallRequest<Op>,
    options: KeyedCallOptions = {},
  ): Promise<OperationOutput<Op>> {
    const keyed = operation.idempotency === "key";
    const wire: WireRequest = {
      method: operation.method,
      path: requestPath(operation, request.params ?? {}, request.query ?? {}),
      body: request.body,
      idempotencyKey: keyed ? (options.idempotencyKey ?? this.chance.id()) : undefined,
      wait: waitOf(request.query) ?? waitOf(request.body) ?? 0,
    };
    return (await this.send(wire, options)) as OperationOutput<Op>;
  }

  /** Sends a request that is no operation, such as the originals' routes. It may be sent more than once. */
  async send(request: WireRequest, options: CallOptions = {}): Promise<JsonValue> {
    const timeout = options.timeout === undefined ? this.#timeout : microsOf(options.timeout, "timeout");
    const until = this.clock.now() + timeout + (request.wait ?? 0);
    const text = request.body === undefined ? undefined : stringifyJson(request.body as JsonValue);
    return retrying(() => this.#exchange(request, text, until, options.signal), {
      clock: this.clock,
      chance: this.chance,
      until,
      maxRetries: options.maxRetries ?? this.#maxRetries,
      signal: options.signal,
    });
  }

  /**
   * Opens a stream of server-sent events, once. Its bytes end, or fail, with the signal.
   * @param lastEventId sent when it is not empty
   * @returns null when the server says that nothing follows any more
   */
  async open(path: string, lastEventId: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | null> {
    const late = new AbortController();
    const cancel = this.clock.after(this.#timeout, () => late.abort());
    try {
      const response = await this.#fetch(`${this.baseUrl}${path}`, {
        headers: { ...this.#headers, accept: STREAM_TYPE, ...(lastEventId && { "last-event-id": lastEventId }) },
        redirect: "manual",
        signal: AbortSignal.any([signal, late.signal]),
      });
      if (response.status === 204) return null;
      const isStream = response.headers.get("content-type")?.startsWith(STREAM_TYPE) === true;
      if (response.ok && isStream && response.body !== null) return response.body;
      readAnswer(response, response.ok ? "" : await response.text(), this.baseUrl);
      return null;
    } catch (error) {
      throw this.#explain(error, late.signal, signal);
    } finally {
      cancel();
    }
  }

  async #exchange(
    request: WireRequest,
    text: string | undefined,
    until: number,
    signal: AbortSignal | undefined,
  ): Promise<JsonValue> {
    const late = new AbortController();
    const cancel = this.clock.after(Math.max(0, until - this.clock.now()), () => late.abort());
    try {
      const response = await this.#fetch(`${this.baseUrl}${request.path}`, {
        method: request.method,
        headers: this.#headersOf(request, text),
        body: text ?? null,
        // A key must not follow a redirect to an address nobody chose.
        redirect: "manual",
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
      });
      return readAnswer(response, await response.text(), this.baseUrl);
    } catch (error) {
      throw this.#explain(error, late.signal, signal);
    } finally {
      cancel();
    }
  }

  #headersOf(request: WireRequest, text: string | undefined): Record<string, string> {
    return {
      ...this.#headers,
      ...(text === undefined ? {} : { "content-type": "application/json" }),
      ...(request.idempotencyKey === undefined ? {} : { "idempotency-key": request.idempotencyKey }),
    };
  }

  #explain(error: unknown, late: AbortSignal, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    if (late.aborted) {
      const message = `${this.baseUrl} did not answer in time. It may be busy; try again, or allow more time.`;
      return new OpspawnConnectionError("timeout", this.baseUrl, message);
    }
    // `fetch` says why it has no connection in the cause; errors without one are about the request or the answer.
    return error instanceof TypeError && error.cause !== undefined ? unreachable(this.baseUrl, error) : error;
  }
}

function bearer(apiKey: string | undefined): Record<string, string> {
  if (apiKey === undefined) return {};
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new OpspawnError("invalid_request", "The key holds spaces or characters that no key has; copy it again");
  }
  return { authorization: `Bearer ${apiKey}` };
}

function waitOf(part: unknown): number | undefined {
  if (typeof part !== "object" || part === null || !("wait" in part)) return undefined;
  return typeof part.wait === "string" ? microsOf(part.wait, "wait") : undefined;
}

import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { Timers } from "../domain/timers.ts";
import { BodyCollector, decodeBody, isPlain } from "./body.ts";
import type { Expiring } from "./deadlines.ts";
import { AddressRefused, type FaultCode, fault, faultOf, type OutboundResult } from "./result.ts";

export interface ExchangeOptions {
  readonly timers: Timers;
  /** Milliseconds from the first byte of the request to the end of the answer's headers. */
  readonly headersTimeout: number;
  /** Milliseconds from now to the end of the answer. */
  readonly deadline: number;
  /** Bytes of the answer's body, after decoding. */
  readonly bodyCap: number;
  readonly signal: AbortSignal | undefined;
  readonly onFirstByte: (() => unknown) | undefined;
  /** The result is known. */
  readonly onSettled: (exchange: Exchange, result: OutboundResult) => void;
  /** undici is done with it, and its connection with it; may be later than the result. */
  readonly onReleased: (exchange: Exchange) => void;
}

const EMPTY = Buffer.alloc(0);

/**
 * One request and its answer, as undici reports them. undici calls `onRequestStart` immediately before it writes to a
 * connected socket: until then nothing has left (`unsent`), from then on something may have (`broken`).
 */
export class Exchange implements Dispatcher.DispatchHandler, Expiring {
  limit: number;
  readonly #options: ExchangeOptions;
  readonly #end: number;
  #controller: Dispatcher.DispatchController | null = null;
  #isStarted = false;
  #isSettled = false;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #body: BodyCollector | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#end = options.timers.now() + options.deadline;
    this.limit = this.#end;
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  expire(): void {
    this.fail("timeout");
  }

  /** Ends the exchange from our side. A connection in use is closed: what it would still bring belongs to nobody. */
  fail(code: FaultCode, cause: unknown = null): void {
    this.#settleFault(code, cause);
    this.#controller?.abort(new Error(code));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled || this.#isStarted) {
      // Given up while it waited for a connection; or a resend, which nobody asked for.
      this.fail("connection_lost");
    } else if (this.#options.onFirstByte?.() === false) {
      this.fail("withdrawn");
    } else {
      this.#isStarted = true;
      this.limit = Math.min(this.#end, this.#options.timers.now() + this.#options.headersTimeout);
    }
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.limit = this.#end;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body ??= new BodyCollector(this.#options.bodyCap);
    if (this.#isSettled || this.#body.add(chunk)) return;
    this.#answer(isPlain(this.#headers["content-encoding"]) ? this.#body.take() : EMPTY, true);
    controller.abort(new Error("body too large"));
  }

  onResponseEnd(): void {
    this.#options.onReleased(this);
    const body = this.#body?.take() ?? EMPTY;
    const encoding = this.#headers["content-encoding"];
    if (body.length === 0 || isPlain(encoding)) {
      this.#answer(body, false);
    } else {
      void decodeBody(body, encoding, this.#options.bodyCap).then((decoded) =>
        this.#answer(decoded ?? EMPTY, decoded === null),
      );
    }
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    this.#options.onReleased(this);
    if (error instanceof AddressRefused) {
      const { reason, setting } = error.refusal;
      this.#settle({ kind: "refused", reason, setting });
    } else {
      const { code, cause } = faultOf(error);
      this.#settleFault(code, cause);
    }
  }

  readonly #onAbort = (): void => this.fail("aborted");

  #answer(body: Buffer, truncated: boolean): void {
    this.#settle({ kind: "response", status: this.#status, headers: this.#headers, body, truncated });
  }

  #settleFault(code: FaultCode, cause: unknown): void {
    this.#settle({ kind: this.#isStarted ? "broken" : "unsent", error: fault(code, cause) });
  }

  #settle(result: OutboundResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#options.onSettled(this, result);
  }
}

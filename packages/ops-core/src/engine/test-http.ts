import assert from "node:assert/strict";
import type { HttpClient, HttpPost, HttpResult } from "../domain/http-client.ts";

interface Exchange {
  readonly request: HttpPost;
  readonly end: (result: HttpResult) => void;
}

/** A client whose exchanges end when and how the test says. Aborted ones end by themselves. */
export class ScriptedHttp implements HttpClient {
  /** Every request ever made. */
  readonly requests: HttpPost[] = [];
  /** Those without an answer yet, oldest first. */
  readonly open: Exchange[] = [];

  async post(request: HttpPost): Promise<HttpResult> {
    this.requests.push(request);
    return new Promise((resolve) => {
      const exchange = { request, end: (result: HttpResult) => this.#end(exchange, result, resolve) };
      this.open.push(exchange);
      request.signal?.addEventListener("abort", () => exchange.end(broken("aborted")));
    });
  }

  /** Ends the oldest exchange. */
  async answer(result: HttpResult): Promise<HttpPost> {
    const [exchange] = this.open;
    assert.ok(exchange !== undefined, "nothing was sent");
    exchange.end(result);
    await settled();
    return exchange.request;
  }

  #end(exchange: Exchange, result: HttpResult, resolve: (result: HttpResult) => void): void {
    const at = this.open.indexOf(exchange);
    if (at < 0) return;
    this.open.splice(at, 1);
    resolve(result);
  }
}

/** Lets everything happen that waits for no timer: promises, and commits of the store. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function response(status: number, body: unknown = "", headers: Record<string, string> = {}): HttpResult {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { kind: "response", status, headers, body: Buffer.from(text), truncated: false };
}

export function broken(code = "connection_lost"): HttpResult {
  return { kind: "broken", error: { code, message: `It broke: ${code}.` } };
}

export function unsent(code = "connect_failed"): HttpResult {
  return { kind: "unsent", error: { code, message: `Nothing was sent: ${code}.` } };
}

export const REFUSED: HttpResult = { kind: "refused", reason: "This address may not be called." };

import { setTimeout as sleep } from "node:timers/promises";
import { errors, Pool } from "undici";

/** No answer came; `isSent` says whether the server may have seen the call. */
export class NoAnswer extends Error {
  readonly isSent: boolean;

  constructor(cause: unknown, isSent: boolean) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.isSent = isSent;
  }
}

export interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly key?: string | null;
  readonly idempotencyKey?: string;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The server says that it repeats an earlier answer. */
  readonly isReplayed: boolean;
}

const CONNECTIONS = 512;
const ANSWER_WITHIN_MS = 60_000;

/** Calls one server, one try at a time: whoever calls decides what a lost answer means. */
export class Caller {
  readonly #pool: Pool;

  constructor(origin: string) {
    this.#pool = new Pool(origin, {
      connections: CONNECTIONS,
      headersTimeout: ANSWER_WITHIN_MS,
      bodyTimeout: ANSWER_WITHIN_MS,
      connect: { timeout: 5_000 },
    });
  }

  /** @throws NoAnswer */
  async send({ method, path, key, idempotencyKey, body }: Call): Promise<Answer> {
    const headers = {
      accept: "application/json",
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const payload = body === undefined ? null : JSON.stringify(body);
    try {
      const response = await this.#pool.request({ method, path, headers, body: payload });
      const text = await response.body.text();
      const isReplayed = response.headers["idempotent-replayed"] === "true";
      return { status: response.statusCode, body: parse(text), isReplayed };
    } catch (error) {
      throw new NoAnswer(error, isSent(error));
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

function parse(text: string): Answer["body"] {
  try {
    return JSON.parse(text) as Answer["body"];
  } catch {
    return { text };
  }
}

function isSent(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code !== "ECONNREFUSED" && !(error instanceof errors.ConnectTimeoutError);
}

/**
 * The pause before another try: longer with each one in a row, up to most of a second, and never the same twice, so that
 * callers do not come back all at once.
 */
export function pause(tries = 1): Promise<void> {
  return sleep(Math.min(40 * 2 ** (tries - 1), 640) * (0.5 + Math.random()));
}

/** Statuses that promise that the same call may succeed later. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status === 503 || status === 507;
}

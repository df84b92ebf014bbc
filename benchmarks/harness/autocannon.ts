import { createRequire } from "node:module";

export interface CannonRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Called before each time it is sent. */
  readonly setupRequest?: (request: CannonRequest) => CannonRequest;
}

/** One connection. */
export interface CannonClient {
  /** What it sends in turn. */
  setRequests(requests: readonly CannonRequest[]): void;
}

export interface CannonOptions {
  readonly url: string;
  readonly connections: number;
  /** Seconds. */
  readonly duration: number;
  /** Called with each connection. Default: it sends GET for `url`. */
  readonly setupClient?: (client: CannonClient) => void;
}

interface CannonResult {
  readonly requests: { readonly total: number };
  /** Seconds. */
  readonly duration: number;
  readonly non2xx: number;
  readonly errors: number;
}

type Autocannon = (options: CannonOptions, done: (error: Error | null, result: CannonResult) => void) => void;

// It comes without types of its own.
const autocannon = createRequire(import.meta.url)("autocannon") as Autocannon;

/** Requests per second that were answered. @throws Error unless each of them was answered with a 2xx */
export function requestsPerSecond(options: CannonOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    autocannon(options, (error, result) => {
      const failed = error ?? failureOf(result);
      if (failed === null) resolve(result.requests.total / result.duration);
      else reject(failed);
    });
  });
}

function failureOf({ non2xx, errors, requests }: CannonResult): Error | null {
  if (non2xx + errors === 0 && requests.total > 0) return null;
  return new Error(`autocannon: ${requests.total} answers, ${non2xx} of them no 2xx, ${errors} errors`);
}

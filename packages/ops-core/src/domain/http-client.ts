/** A request to a URL that somebody else chose. Milliseconds. */
export interface HttpPost {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly headersTimeout?: number;
  readonly deadline?: number;
  readonly signal?: AbortSignal;
}

interface HttpFault {
  readonly code: string;
  /** Safe to show. */
  readonly message: string;
}

/** What became of it; trouble on the way is data. */
export type HttpResult =
  | {
      readonly kind: "response";
      readonly status: number;
      readonly headers: { readonly [name: string]: string | string[] | undefined };
      readonly body: Uint8Array;
      readonly truncated: boolean;
    }
  | { readonly kind: "refused"; readonly reason: string }
  /** Certainly no byte left. */
  | { readonly kind: "unsent"; readonly error: HttpFault }
  /** Bytes may have arrived; no whole answer came back. */
  | { readonly kind: "broken"; readonly error: HttpFault };

/** Asks addresses of the operator's own settings. */
export interface HttpReader {
  get(request: Omit<HttpPost, "body">): Promise<HttpResult>;
}

export type HttpResponse = Extract<HttpResult, { kind: "response" }>;

/** The guarded client, as the engine sees it. */
export interface HttpClient {
  post(request: HttpPost): Promise<HttpResult>;
}

import type { HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";

/** An agent or a receiver of webhooks, as the network sees it. */
export interface Host {
  /** Nothing goes wrong on the way to it. */
  readonly isReliable?: boolean;
  /** A message may reach it twice: it goes by the key, and tells outcomes by it. */
  readonly takesDoubles?: boolean;
  receive(request: HttpPost, arrival: Arrival): Promise<HttpResult>;
}

/** How a message came over the network. */
export interface Arrival {
  /** The network brings it once more, the server did not send it. */
  readonly doubled: boolean;
  /** Its place in the order of all that was sent: what is under way at the same time may overtake each other. */
  readonly sent: number;
}

/** The answer of a host that gives none. */
export const NEVER = new Promise<never>(() => undefined);

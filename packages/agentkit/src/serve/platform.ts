import { formatTime, isJsonObject, type JsonObject, type JsonValue, OpspawnError } from "@opspawn/contract";
import type { Clock } from "../clock.ts";

/** What a call to the platform was answered. */
export interface PlatformAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Null when the body was no JSON. */
  readonly body: JsonValue;
}

/** How an agent describes itself when it registers. */
export interface AgentCard {
  readonly agentName: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  readonly contactEndpoint: string;
  readonly metadata: JsonObject | null;
}

/** Microseconds a call to the platform may take. */
const CALL_TIMEOUT = 10_000_000;

/** The calls an agent makes. Each rejects with what `fetch` throws when the platform cannot be reached. */
export class Platform {
  readonly url: string;
  readonly #clock: Clock;

  /** @param url the platform's root; the `/v1` the originals' settings end with is taken off */
  constructor(url: string, clock: Clock) {
    this.url = rootOf(url);
    this.#clock = clock;
  }

  register(card: AgentCard, key: string | null): Promise<PlatformAnswer> {
    return this.post(`${this.url}/v1/agents/register`, JSON.stringify(card), key);
  }

  reportState(agentId: string, state: string, details: JsonObject, key: string | null): Promise<PlatformAnswer> {
    const timestamp = formatTime(this.#clock.now());
    const body = JSON.stringify({ agentId, timestamp, state, details });
    return this.post(`${this.url}/v1/opscore/agent/${encodeURIComponent(agentId)}/state`, body, key);
  }

  async post(url: string, body: string, key: string | null): Promise<PlatformAnswer> {
    const timeout = new AbortController();
    const cancel = this.#clock.after(CALL_TIMEOUT, () => timeout.abort(new Error(`no answer within 10 s`)));
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
        body,
        // A key must not follow to wherever an answer points.
        redirect: "manual",
        signal: timeout.signal,
      });
      return { status: response.status, headers: response.headers, body: jsonOrNull(await response.text()) };
    } finally {
      cancel();
    }
  }
}

function rootOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:/i.test(url)) {
    throw new OpspawnError("invalid_request", `The platform's URL must be an http or https URL, not "${url}".`);
  }
  return new URL(url).href.replace(/\/+$/, "").replace(/\/v1$/, "");
}

function jsonOrNull(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}

/** What an answer says is wrong, in one line. */
export function detailOf({ status, body }: PlatformAnswer): string {
  const detail = isJsonObject(body) ? body.detail : undefined;
  if (typeof detail === "string") return `${status}: ${detail}`;
  return detail === undefined ? `status ${status}` : `${status}: ${JSON.stringify(detail).slice(0, 500)}`;
}

/** What went wrong when a call got no answer; `fetch` hides the reason in the cause. */
export function networkError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError) return networkError(cause.errors[0]);
  return cause instanceof Error ? cause.message || networkError(cause) : error.message;
}

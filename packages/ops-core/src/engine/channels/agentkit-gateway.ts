import { beginning, isJsonObject, type JsonValue, OpspawnError, parseJson } from "@opspawn/contract";
import type { HttpClient, HttpResult } from "../../domain/http-client.ts";
import { rejected } from "../../domain/tasks/answer.ts";
import type { ExchangeEnd } from "./exchange-end.ts";

export interface AgentkitGatewayOptions {
  /** Reaches the addresses of the operator's own settings. */
  readonly http: HttpClient;
  /** The root of AgentKit's API, without a trailing slash. */
  readonly url: string;
  /** Presented to AgentKit; never to agents. */
  readonly key: string | null;
}

/** It takes a message before it delivers it, so nobody thinks meanwhile. */
const TIMEOUT_MS = 15_000;

/** The message of an attempt, as any channel would send it. */
interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds the attempt has left. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** Hands attempts to AgentKit in another process, whose gateway delivers them to their agents. */
export class AgentkitGateway {
  readonly #options: AgentkitGatewayOptions;

  constructor(options: AgentkitGatewayOptions) {
    this.#options = options;
  }

  post({ agentId }: Addressee, { headers, body, timeout, signal }: Message): Promise<HttpResult> {
    const { http, url, key } = this.#options;
    const within = Math.min(timeout, TIMEOUT_MS);
    return http.post({
      url: `${url}/v1/agents/${encodeURIComponent(agentId)}/run`,
      headers: key === null ? headers : { ...headers, authorization: `Bearer ${key}` },
      body,
      headersTimeout: within,
      deadline: within,
      signal,
    });
  }

  /** Reads AgentKit's answer: it says whether the message was taken, and nothing of the task. */
  end(result: HttpResult): ExchangeEnd {
    switch (result.kind) {
      case "response":
        return readStatus(result);
      case "refused":
        return { kind: "undelivered", message: `AGENTKIT_API_URL cannot be called: ${result.reason}` };
      case "unsent":
        return { kind: "undelivered", message: `AgentKit is not reached: ${result.error.message}` };
      case "broken":
        return { kind: "broken", message: `AgentKit gave no answer: ${result.error.message}` };
    }
  }
}

interface Addressee {
  readonly agentId: string;
}

type Response = Extract<HttpResult, { kind: "response" }>;

function readStatus(response: Response): ExchangeEnd {
  const { status } = response;
  if (status >= 200 && status < 300) return { kind: "acknowledged" };
  if (status === 401 || status === 403) {
    const message = `AgentKit answered ${status}: give both processes the same OPSCORE_API_KEY.`;
    return { kind: "undelivered", message };
  }
  const said = `AgentKit answered ${status}${detailOf(response)}.`;
  // An agent it does not know (yet, or any more): nobody has the task.
  if (status === 404) return { kind: "undelivered", message: said };
  // It may have stored the message all the same; it knows one that comes twice.
  if (status >= 500 || [408, 425, 429].includes(status)) return { kind: "broken", message: said };
  return { kind: "outcome", outcome: rejected(`agentkit_${status}`, said) };
}

const MAX_DETAIL = 300;

/** `detail` is how AgentKit says what is wrong. */
function detailOf({ body }: Response): string {
  try {
    const json: JsonValue = parseJson(body);
    const detail = isJsonObject(json) ? json.detail : undefined;
    return typeof detail === "string" ? ` (${beginning(detail, MAX_DETAIL)})` : "";
  } catch (error) {
    if (error instanceof OpspawnError) return "";
    throw error;
  }
}

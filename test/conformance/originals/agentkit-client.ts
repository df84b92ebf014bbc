import { send, type WireAnswer } from "../wire.ts";

/** What AgentKit's Python client raises. */
export class AgentKitError extends Error {
  readonly statusCode: number | null;
  readonly responseData: unknown;

  constructor(message: string, statusCode: number | null, responseData: unknown) {
    super(message);
    this.statusCode = statusCode;
    this.responseData = responseData;
  }
}

export interface AgentDescription {
  readonly agentName: string;
  readonly capabilities: readonly string[];
  readonly version: string;
  readonly contactEndpoint: string;
  readonly metadata?: object;
}

interface Body {
  readonly status?: unknown;
  readonly message?: unknown;
  readonly data?: unknown;
  readonly error_code?: unknown;
}

/** AgentKit's Python client, as it is: root URL, no key, no redirects, and it chokes on errors that are no JSON objects. */
export class AgentKitClient {
  readonly #url: string;
  readonly #opsCore: { readonly url: string; readonly key: string };

  constructor(url: string, opsCore: { readonly url: string; readonly key: string }) {
    this.#url = url;
    this.#opsCore = opsCore;
  }

  async registerAgent(agent: AgentDescription): Promise<string> {
    const body = this.#read(await this.#post("/v1/agents/register", agent), "AgentKit API");
    const data = body.data as { agentId?: unknown };
    // `in` fails on null, as it does in Python.
    if (body.status === "success" && "agentId" in data) return String(data.agentId);
    throw new AgentKitError(String(body.message ?? "unexpected response format"), null, body);
  }

  async sendMessage(target: string, senderId: string, messageType: string, payload: object, sessionContext?: object) {
    const message = { senderId, messageType, payload, ...(sessionContext && { sessionContext }) };
    const body = this.#read(await this.#post(`/v1/agents/${target}/run`, message), "AgentKit API");
    if (body.status === "success") return body.data ?? {};
    throw new AgentKitError(`${body.message} (Code: ${body.error_code})`, null, body);
  }

  async reportStateToOpscore(agentId: string, state: string, details: object | null = null): Promise<void> {
    const timestamp = new Date().toISOString().replace("Z", "000+00:00");
    const url = new URL(`/v1/opscore/agent/${agentId}/state`, this.#opsCore.url);
    const headers = { authorization: `Bearer ${this.#opsCore.key}`, "content-type": "application/json" };
    const body = JSON.stringify({ agentId, timestamp, state, details: details ?? {} });
    this.#read(await send(url.origin, "POST", url.pathname, { headers, body }), "Ops-Core API");
  }

  #post(path: string, body: object): Promise<WireAnswer> {
    const headers = { "content-type": "application/json", accept: "*/*" };
    return send(this.#url, "POST", path, { headers, body: JSON.stringify(body) });
  }

  #read(answer: WireAnswer, who: string): Body {
    const body = JSON.parse(answer.text) as Body & { detail?: unknown };
    if (answer.status >= 200 && answer.status < 300) return body;
    if (Array.isArray(body)) throw new TypeError("'list' object has no attribute 'get'");
    const detail = typeof body.detail === "string" ? body.detail : JSON.stringify(body.detail);
    throw new AgentKitError(`${who} error (HTTP ${answer.status}): ${detail}`, answer.status, body);
  }
}

import { send } from "../wire.ts";

/** What Ops-Core's Python client raises; `kind` is the class. */
export class OpsCoreError extends Error {
  readonly kind: "AuthenticationError" | "NotFoundError" | "OpsCoreApiError" | "OpsCoreSDKError";
  readonly statusCode: number;
  readonly detail: unknown;

  constructor(kind: OpsCoreError["kind"], statusCode: number, detail: unknown) {
    super(`Ops-Core API Error ${statusCode}: ${detail}`);
    this.kind = kind;
    this.statusCode = statusCode;
    this.detail = detail;
  }
}

/** Ops-Core's Python client, as it is: one exact status counts as success, and a GET says that it carries JSON. */
export class OpsCoreClient {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url.replace(/\/+$/, "");
    this.#key = key;
  }

  async updateState(agentId: string, state: string, details: object | null = null): Promise<void> {
    const timestamp = new Date().toISOString().replace("Z", "000+00:00");
    await this.#call("POST", `/v1/opscore/agent/${agentId}/state`, 202, { agentId, timestamp, state, details });
  }

  getState(agentId: string): Promise<Record<string, unknown>> {
    return this.#result("GET", `/v1/opscore/agent/${agentId}/state`, 200);
  }

  triggerWorkflow(agentId: string, workflowDefinitionId: string, initialPayload: object | null = null) {
    const body = { workflowDefinitionId, initialPayload };
    return this.#result("POST", `/v1/opscore/agent/${agentId}/workflow`, 202, body);
  }

  async #result(method: string, path: string, expected: number, body?: object): Promise<Record<string, unknown>> {
    const text = await this.#call(method, path, expected, body);
    const result = text === "" ? null : (JSON.parse(text) as Record<string, unknown> | null);
    if (result === null) throw new OpsCoreError("OpsCoreSDKError", expected, "empty");
    return result;
  }

  async #call(method: string, path: string, expected: number, body?: object): Promise<string> {
    const headers = {
      authorization: `Bearer ${this.#key}`,
      "content-type": "application/json",
      accept: "application/json",
    };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const { status, text, json } = await send(this.#url, method, path, { headers, ...sent });
    if (status === expected) return text;
    const detail = (json as { detail?: unknown } | undefined)?.detail ?? text;
    if (status === 401 || status === 403) throw new OpsCoreError("AuthenticationError", status, detail);
    throw new OpsCoreError(status === 404 ? "NotFoundError" : "OpsCoreApiError", status, detail);
  }
}

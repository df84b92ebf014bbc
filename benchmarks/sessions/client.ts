import { Connections } from "../harness/connections.ts";
import { inputOf, isResultOf, WORKFLOW_ID } from "./workload.ts";

interface EndedSession {
  readonly status?: string;
  readonly result?: unknown;
}

/** Starts sessions at one server, waits for their ends and checks what they bring. */
export class SessionClient {
  readonly connections: Connections;
  readonly #headers: readonly string[];

  constructor(origin: string, key: string) {
    this.connections = new Connections(origin);
    this.#headers = ["accept", "application/json", "authorization", `Bearer ${key}`];
  }

  /** Runs session `n` from its start to its checked result. @throws Error when anything about it is not as it should be */
  async run(n: number): Promise<void> {
    const started = await this.connections.send({
      method: "POST",
      path: "/v1/opscore/sessions",
      headers: [...this.#headers, "content-type", "application/json", "idempotency-key", keyOf(n)],
      body: JSON.stringify({ workflowId: WORKFLOW_ID, input: inputOf(n) }),
    });
    if (started.status !== 202) throw new Error(`session ${n} was answered ${started.status}: ${started.body}`);
    const { sessionId } = JSON.parse(started.body) as { sessionId: string };
    const path = `/v1/opscore/sessions/${sessionId}?wait=30s`;
    const ended = await this.connections.send({ method: "GET", path, headers: this.#headers, body: null });
    if (ended.status !== 200) throw new Error(`the end of session ${n}: ${ended.status}: ${ended.body}`);
    const { status, result } = JSON.parse(ended.body) as EndedSession;
    if (status !== "completed") throw new Error(`session ${n} is ${status} after 30 s`);
    if (!isResultOf(n, result)) throw new Error(`session ${n} has a wrong result: ${JSON.stringify(result)}`);
  }

  close(): void {
    this.connections.close();
  }
}

/** Looks like the UUIDs that clients send. */
function keyOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

import type { ServerResponse } from "node:http";
import { KEY, type Original } from "../original.ts";
import { type Received, Receiver } from "../receiver.ts";
import { send } from "../wire.ts";

/** What every agent of the originals does: it listens, and reports its state with Ops-Core's key. */
class OriginalAgent {
  readonly receiver = new Receiver();
  protected readonly server: Original;
  id = "";

  constructor(server: Original) {
    this.server = server;
  }

  protected async report(state: string, details: object | null = null): Promise<number> {
    const path = `/v1/opscore/agent/${this.id}/state`;
    const timestamp = new Date(this.server.app.time.now()).toISOString().replace("Z", "000+00:00");
    const { status } = await send(this.server.url, "POST", path, {
      headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ agentId: this.id, timestamp, state, details }),
    });
    return status;
  }

  /** Passes on the time of the test. */
  protected sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.server.app.time.set(ms, resolve));
  }

  protected async register(agentName: string, capabilities: readonly string[], path: string, metadata: object | null) {
    const body = { agentName, version: "1.0", capabilities, contactEndpoint: this.receiver.url + path };
    const answer = await this.server.post("/v1/agents/register", metadata === null ? body : { ...body, metadata });
    if (answer.status !== 201) return false;
    this.id = (answer.json as { data: { agentId: string } }).data.agentId;
    return true;
  }

  protected json(response: ServerResponse, status: number, body: object): void {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  async close(): Promise<void> {
    await this.receiver.close();
  }
}

/** Ops-Core's simulated agent: takes a task, answers at once, and tells by two states when it is done. */
export class SimulatedAgent extends OriginalAgent {
  async start(): Promise<void> {
    await this.receiver.open();
    this.receiver.answer = (response, received) => this.#task(response, received);
    for (let attempt = 1; ; attempt += 1) {
      if (await this.register("TestSimulatedAgent", ["simulation"], "/task", { id_hint: "test-sim-agent-001" })) break;
      if (attempt === 5) throw new Error("no registration");
      await this.sleep(5_000);
    }
    await this.sleep(1_000);
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      if ((await this.report("idle", { reason: "Initial startup complete" })) === 202) return;
      await this.sleep(3_000);
    }
  }

  #task(response: ServerResponse, { body }: Received): void {
    const message = JSON.parse(body) as { payload?: unknown; opscore_task_id?: string | null };
    if (typeof message.payload !== "object" || message.payload === null) {
      this.json(response, 400, { detail: "Invalid task payload: payload" });
      return;
    }
    this.json(response, 200, { status: "success", message: "Task received and processing started." });
    void this.#process(message.opscore_task_id ?? null);
  }

  async #process(taskId: string | null): Promise<void> {
    const details = taskId === null ? null : { opscore_task_id: taskId };
    await this.report("active", details);
    await this.sleep(2_000);
    await this.report("idle", details);
  }
}

/** AgentKit's example that knows of Ops-Core: answers with its result, and reports its states only afterwards. */
export class OpsCoreAwareAgent extends OriginalAgent {
  async start(): Promise<void> {
    await this.receiver.open();
    this.receiver.answer = (response, received) => void this.#message(response, received);
    await this.register("OpsCoreAwareAgent_001", ["process_workflow_task", "report_status"], "", null);
    await this.report("idle");
  }

  async #message(response: ServerResponse, { body }: Received): Promise<void> {
    const { messageType, payload } = JSON.parse(body) as { messageType: string; payload: { task_name?: string } };
    if (messageType === "workflow_task") {
      await this.sleep(2_000);
      const result = `Processed task '${payload.task_name ?? "unknown"}' successfully.`;
      this.json(response, 200, { status: "completed", result });
    } else {
      this.json(response, 200, { status: "ignored", reason: `Unsupported message type: ${messageType}` });
    }
    await this.report("active");
    await this.report("idle");
  }
}

/** AgentKit's example that only acknowledges, and never says anything else. */
export class ResponderAgent extends OriginalAgent {
  async start(): Promise<void> {
    await this.receiver.open();
    this.receiver.answer = (response, { body }) => {
      const { senderId } = JSON.parse(body) as { senderId: string };
      this.json(response, 200, { status: "acknowledged", message: "Message received", received_sender: senderId });
    };
    await this.register("ResponderAgent", ["respond"], "/receive_message", null);
  }
}

/** Ops-Core's stand-in for AgentKit: tells of agents unsigned, and does their work itself in a tenth of a second. */
export class MockAgentKit extends OriginalAgent {
  readonly agents: object[] = [];

  async start(): Promise<void> {
    await this.receiver.open();
    this.receiver.answer = (response, received) => void this.#serve(response, received);
  }

  /** What a caller posts to `/v1/agents`; it chooses the id itself. */
  add(agentId: string, agentName: string): Promise<{ status: number; json: unknown }> {
    const agent = {
      agentId,
      agentName,
      version: "1.0",
      capabilities: ["mock"],
      contactEndpoint: `${this.receiver.url}/v1/agents/${agentId}/run`,
      registrationTime: "2026-01-01T00:00:00Z",
      metadata: {},
    };
    const headers = { "content-type": "application/json" };
    return send(this.receiver.url, "POST", "/v1/agents", { headers, body: JSON.stringify(agent) });
  }

  async #serve(response: ServerResponse, { method, path, body }: Received): Promise<void> {
    const run = /^\/v1\/agents\/([^/]+)\/run$/.exec(path);
    if (method === "GET") {
      const message = "Agents retrieved successfully.";
      this.json(response, 200, { status: "success", message, data: this.agents });
    } else if (run === null) await this.#register(response, JSON.parse(body) as Record<string, unknown>);
    else await this.#run(response, run[1] ?? "", JSON.parse(body) as { payload: { taskId?: string } });
  }

  async #register(response: ServerResponse, agent: Record<string, unknown>): Promise<void> {
    this.agents.push(agent);
    const { registrationTime: _dropped, ...details } = agent;
    const body = { event_type: "REGISTER", agent_details: details };
    await this.server.post("/v1/opscore/internal/agent/notify", body);
    const message = `Agent ${agent.agentId} registered (webhook notification attempted)`;
    this.json(response, 200, { status: "success", message });
  }

  async #run(response: ServerResponse, id: string, message: { payload: { taskId?: string } }): Promise<void> {
    this.id = id;
    // The test's time stands still, and nothing is reported in the very instant of its dispatch.
    await this.sleep(1);
    await this.report("BUSY", { current_task: message.payload.taskId ?? "unknown" });
    await this.sleep(100);
    await this.report("IDLE", { last_task_result: "simulated_success" });
    const said = `Task received by agent ${id} (state updates attempted)`;
    this.json(response, 200, { status: "success", message: said });
  }
}

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "../harness/body.ts";
import { Connections } from "../harness/connections.ts";
import { resultOf, STEPS, type Work } from "./workload.ts";

/** What an agent knows of the server it works for. */
interface Employer {
  readonly connections: Connections;
  /** By step. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

interface TaskMessage {
  readonly payload: { readonly previous?: Work } & Partial<Work>;
  readonly opspawn: { readonly taskId: string; readonly token: string; readonly resultUrl: string };
}

/** A task as it came. */
export interface SeenTask {
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** As little as an answer can be: what agents cost is not measured. */
const ACKNOWLEDGED = ["connection", "keep-alive", "content-length", "0"];

/** One agent per step: a plain HTTP server that answers 202 and then posts the result under the task's token. */
export class Agents {
  readonly #servers: Server[] = [];
  readonly #employers = new Map<string, Employer>();
  readonly #reports = new Set<Promise<unknown>>();
  readonly #endpoints: string[] = [];
  /** What went wrong: results that were not accepted. */
  readonly problems: string[] = [];
  /** Called with each task; null = nobody looks. */
  onTask: ((task: SeenTask) => void) | null = null;

  /** Where each step's agent takes tasks, in the order of the steps. */
  get endpoints(): readonly string[] {
    return this.#endpoints;
  }

  async open(): Promise<void> {
    for (const step of STEPS) {
      const server = createServer((request, response) => this.#take(step, request, response));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      this.#servers.push(server);
      this.#endpoints.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}/task`);
    }
  }

  /** @param keys the agents' keys, in the order of the steps */
  workFor(origin: string, keys: readonly string[]): void {
    const headers = new Map(STEPS.map((step, i) => [step as string, resultHeaders(keys[i] ?? "")]));
    this.#employers.set(origin, { connections: new Connections(origin), headers });
  }

  /** The connections over which results go to a server. */
  connectionsTo(origin: string): Connections {
    const employer = this.#employers.get(origin);
    if (employer === undefined) throw new Error(`nobody is known at ${origin}`);
    return employer.connections;
  }

  /** Waits for the answers to the last results: a session may be over for its client before its agent knows. */
  async leave(origin: string): Promise<void> {
    await Promise.all(this.#reports);
    this.#employers.get(origin)?.connections.close();
    this.#employers.delete(origin);
  }

  close(): void {
    for (const { connections } of this.#employers.values()) connections.close();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  #take(step: string, request: IncomingMessage, response: ServerResponse): void {
    readBody(request, (body) => {
      this.onTask?.({ rawHeaders: request.rawHeaders, body });
      const message = JSON.parse(body) as TaskMessage;
      response.sendDate = false;
      response.writeHead(202, ACKNOWLEDGED).end();
      const report = this.#report(step, message)
        .catch((error: unknown) => this.problems.push(`a result was not posted: ${error}`))
        .finally(() => this.#reports.delete(report));
      this.#reports.add(report);
    });
  }

  async #report(step: string, { payload, opspawn }: TaskMessage): Promise<void> {
    const slash = opspawn.resultUrl.indexOf("/", "http://".length);
    const employer = this.#employers.get(opspawn.resultUrl.slice(0, slash));
    if (employer === undefined) throw new Error(`nobody is known at ${opspawn.resultUrl}`);
    const answer = await employer.connections.send({
      method: "POST",
      path: opspawn.resultUrl.slice(slash),
      headers: employer.headers.get(step) ?? [],
      body: JSON.stringify({ token: opspawn.token, status: "completed", result: resultOf(step, payload) }),
    });
    if (answer.status !== 200) throw new Error(`it was answered ${answer.status}: ${answer.body.slice(0, 300)}`);
  }
}

function resultHeaders(key: string): string[] {
  return ["accept", "application/json", "authorization", `Bearer ${key}`, "content-type", "application/json"];
}

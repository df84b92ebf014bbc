import assert from "node:assert/strict";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { App, type Surroundings } from "../app.ts";
import { type Config, type Environment, loadConfig } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import type { LogFields } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import { SystemIds } from "../system/ids.ts";

/** Time for tests: it stands still until somebody moves it. */
class TestTime implements Timers {
  #micros = 1_700_000_000_000_000;
  readonly #due = new Set<{ readonly at: number; readonly fire: () => void }>();

  /** The clock counts microseconds, the timers milliseconds; both are this time. */
  readonly clock: Clock = { now: () => this.#micros };

  now(): number {
    return this.#micros / 1000;
  }

  set(ms: number, fire: () => void): () => void {
    const timer = { at: this.now() + ms, fire };
    this.#due.add(timer);
    return () => this.#due.delete(timer);
  }

  advance(ms: number): void {
    this.#micros += ms * 1000;
    for (const timer of [...this.#due]) {
      if (timer.at > this.now()) continue;
      this.#due.delete(timer);
      timer.fire();
    }
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#due.size;
  }
}

export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
}

export interface Call {
  readonly body?: JsonValue;
  /** Default: the operator's key; null = none. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

const OPERATOR_KEY = "operator-key-of-the-tests";

export interface AppOptions {
  /** Where it keeps its data; default: in memory. */
  readonly data?: string;
  /** Default: a time of its own. A process that takes up another one's data goes on with its time. */
  readonly time?: TestTime;
}

/** A whole process; requests go straight to its routes. Until it is started it has no engine. */
export class TestApp {
  readonly app: App;
  readonly time: TestTime;
  readonly log: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];

  constructor(env: Environment = {}, { data = ":memory:", time = new TestTime() }: AppOptions = {}) {
    this.time = time;
    this.app = new App(testConfig(env, data), this.#surroundings());
  }

  /** A page that is no JSON, for the operator. */
  async text(path: string): Promise<{ status: number; type: string; text: string }> {
    const headers = { authorization: `Bearer ${OPERATOR_KEY}` };
    const answer = await this.app.http.inject({ method: "GET", url: path, headers });
    return { status: answer.statusCode, type: String(answer.headers["content-type"]), text: answer.body };
  }

  async call(method: "GET" | "POST" | "PUT" | "DELETE", path: string, call: Call = {}): Promise<Answer> {
    const key = call.key === undefined ? OPERATOR_KEY : call.key;
    const answer = await this.app.http.inject({
      method,
      url: path,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { payload: JSON.stringify(call.body) }),
    });
    return { status: answer.statusCode, body: parse(answer.body), headers: answer.headers };
  }

  /** A call that must succeed. */
  async ok(method: "GET" | "POST" | "PUT" | "DELETE", path: string, call: Call = {}): Promise<JsonObject> {
    const { status, body } = await this.call(method, path, call);
    assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Registers an agent that asks for its work. */
  async pullAgent(agentName: string, capabilities: readonly string[] = []): Promise<{ id: string; key: string }> {
    const registration = { agentName, capabilities: [...capabilities], channel: "pull" };
    const body = await this.ok("POST", "/v1/opscore/agents", { body: registration });
    return { id: (body.agent as JsonObject).agentId as string, key: body.agentKey as string };
  }

  /** What an agent is given when it asks now. */
  async claim(agent: { id: string; key: string }, max = 1): Promise<JsonObject[]> {
    const body = await this.ok("POST", `/v1/opscore/agents/${agent.id}/claim`, {
      body: { wait: "0s", max },
      key: agent.key,
    });
    return body.tasks as JsonObject[];
  }

  /** Listens on some port, and runs the engine on the time of the test. */
  async start(): Promise<void> {
    await this.app.start();
  }

  /** Says how an attempt ended, as its agent does: with the token alone. */
  settle(assignment: JsonObject, outcome: JsonObject): Promise<Answer> {
    const { taskId, token } = assignment.opspawn as JsonObject;
    const body = { token: token as string, ...outcome };
    return this.call("POST", `/v1/opscore/tasks/${taskId}/result`, { body, key: null });
  }

  async close(): Promise<void> {
    await this.app.stop();
  }

  #surroundings(): Surroundings {
    const write = (level: string) => (fields: LogFields, message: string) => {
      this.log.push({ level, message, fields });
    };
    const log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
    return { clock: this.time.clock, ids: new SystemIds(this.time.clock), timers: this.time, log };
  }
}

function testConfig(env: Environment, data: string): Config {
  const argv = ["--data", data, "--port", "0"];
  return loadConfig({ argv, env: { OPSCORE_API_KEY: OPERATOR_KEY, ...env }, cwd: import.meta.dirname });
}

/** Resolves when what was begun has gone as far as it can without time passing. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

function parse(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return { text };
  }
}

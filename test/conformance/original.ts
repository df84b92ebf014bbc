import assert from "node:assert/strict";
import { after, before } from "node:test";
import { type AppOptions, settled, TestApp } from "../../packages/ops-core/src/app/test-app.ts";
import type { Environment } from "../../packages/ops-core/src/config.ts";
import { closeConnections, send, type WireAnswer, type WireCall } from "./wire.ts";

export const KEY = "operator-key-of-the-tests";
const BEARER = { authorization: `Bearer ${KEY}` };
const JSON_TYPE = { "content-type": "application/json" };

/** The server, listening, as a client of the originals meets it. */
export class Original {
  readonly app: TestApp;

  constructor(env: Environment = {}, options: AppOptions = {}) {
    this.app = new TestApp(env, options);
  }

  start(): Promise<void> {
    return this.app.start();
  }

  get url(): string {
    return this.app.app.url;
  }

  /** The call as it stands: no key, no content type. */
  send(method: string, path: string, call: WireCall = {}): Promise<WireAnswer> {
    return send(this.url, method, path, call);
  }

  get(path: string, headers: Readonly<Record<string, string>> = BEARER): Promise<WireAnswer> {
    return this.send("GET", path, { headers });
  }

  /** Posts a value as JSON; AgentKit's routes need no key on this bind, Ops-Core's get the operator's. */
  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    const key = path.startsWith("/v1/opscore/agent/") ? BEARER : {};
    return this.send("POST", path, { headers: { ...JSON_TYPE, ...key, ...headers }, body: JSON.stringify(body) });
  }

  /** Posts a text as JSON. */
  raw(path: string, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    const key = path.startsWith("/v1/opscore/agent/") ? BEARER : {};
    return this.send("POST", path, { headers: { ...JSON_TYPE, ...key, ...headers }, body });
  }

  /** Registers an agent as AgentKit's clients do; its id. */
  async agent(agentName: string, contactEndpoint = "http://127.0.0.1:9/", rest: object = {}): Promise<string> {
    const answer = await this.post("/v1/agents/register", { agentName, version: "1", contactEndpoint, ...rest });
    assert.equal(answer.status, 201, answer.text);
    return (answer.json as { data: { agentId: string } }).data.agentId;
  }

  /** Lets time pass in small steps, with everything that follows from each, until `done`. */
  async until(done: () => boolean | Promise<boolean>, stepMs = 250, steps = 400): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await settled();
      if (await done()) return;
      this.app.time.advance(stepMs);
    }
    assert.fail("it did not come about");
  }

  /** A stop waits for what is under way, and time has to pass for that. */
  async close(): Promise<void> {
    let closed = false;
    const closing = this.app.close().finally(() => {
      closed = true;
    });
    await this.until(() => closed);
    await closing;
  }
}

/**
 * A server for the tests of a file.
 * @param setUp what else they need, once it listens
 */
export function original(env: Environment = {}, setUp: () => Promise<void> = async () => undefined): Original {
  const served = new Original(env);
  before(async () => {
    await served.start();
    await setUp();
  });
  after(async () => {
    await served.close();
    closeConnections();
  });
  return served;
}

/** A 422 of the originals, key for key. */
export function assertIssues(answer: WireAnswer, detail: readonly object[]): void {
  assert.equal(answer.status, 422, answer.text);
  assert.equal(answer.text, JSON.stringify({ detail }));
}

/** An error of the originals: their status and `{detail}` alone. */
export function assertDetail(answer: WireAnswer, status: number, detail: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.text, JSON.stringify({ detail }));
  assert.equal(answer.headers["content-type"], "application/json");
}

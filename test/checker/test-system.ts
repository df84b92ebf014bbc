import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@opspawn/contract";
import { EventStreams } from "../../packages/ops-core/src/domain/events/event-streams.ts";
import { sessionTarget, taskTarget } from "../../packages/ops-core/src/domain/events/targets.ts";
import { Follower } from "../../packages/ops-core/src/domain/events/test-follower.ts";
import type { ClaimedAttempt } from "../../packages/ops-core/src/domain/tasks/task.ts";
import { readDefinition } from "../../packages/ops-core/src/domain/workflows/definition.ts";
import { TestTimers } from "../../packages/ops-core/src/outbound/test-timers.ts";
import { openStore } from "../../packages/ops-core/src/store/open.ts";
import type { SqliteStore } from "../../packages/ops-core/src/store/sqlite/store.ts";
import { TestClock } from "../../packages/ops-core/src/system/test-clock.ts";
import { TestIds } from "../../packages/ops-core/src/system/test-ids.ts";
import type { ClientEntry, EffectEntry, StreamLog } from "./entries.ts";

const targetOf = (follows: "session" | "task") => (follows === "session" ? sessionTarget : taskTarget);

const SECOND = 1_000_000;
const WORKFLOW: JsonObject = {
  id: "sample",
  name: "A sample",
  version: "1",
  tasks: [
    { taskId: "first", agentCapability: "first" },
    { taskId: "second", agentCapability: "second", retry: { jitter: "none" } },
  ],
};

/** A system that ran for a while and in which all is well: its folder, and the logs of those who dealt with it. */
export interface SampleSystem {
  readonly folder: string;
  readonly database: string;
  readonly client: readonly ClientEntry[];
  readonly effects: readonly EffectEntry[];
  readonly streams: readonly StreamLog[];
}

/**
 * Two sessions of two steps. The first one's second step fails once; its server dies while it is sent again, and the next
 * one takes over.
 */
export async function sampleSystem(): Promise<SampleSystem> {
  const sample = new Sample();
  await sample.open();
  await sample.register("first");
  await sample.register("second");
  const one = await sample.start("call-1");
  await sample.work();
  await sample.fail();
  await sample.retry();
  await sample.die();
  await sample.work();
  await sample.end("call-1", one);
  const two = await sample.start("call-2");
  await sample.work();
  await sample.work();
  await sample.end("call-2", two);
  await sample.follow("all", null);
  await sample.follow("session", one);
  await sample.follow("task", sample.effects[0]?.type === "delivery" ? sample.effects[0].task : null);
  await sample.close();
  return sample;
}

class Sample implements SampleSystem {
  readonly folder = mkdtempSync(join(tmpdir(), "opspawn-checker-"));
  readonly database = join(this.folder, "opspawn.db");
  readonly client: ClientEntry[] = [];
  readonly effects: EffectEntry[] = [];
  readonly streams: StreamLog[] = [];
  readonly #clock = new TestClock();
  readonly #ids = new TestIds();
  readonly #sent: ClaimedAttempt[] = [];
  readonly #done = new Set<string>();
  #store: SqliteStore | null = null;

  get #open(): SqliteStore {
    if (this.#store === null) throw new Error("the sample is closed");
    return this.#store;
  }

  async open(): Promise<void> {
    const options = { folder: this.folder, clock: this.#clock, ids: this.#ids, sendCapacity: () => 100 };
    this.#store = openStore(options);
    this.#store.onCommit(({ claimed }) => this.#sent.push(...claimed));
    await this.#store.process.beat();
    await this.#store.attempts.adopt(100);
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = null;
  }

  /** What was being sent is left to the next process. */
  async die(): Promise<void> {
    this.#deliver(this.#take());
    await this.close();
    await this.open();
  }

  async register(name: string): Promise<void> {
    await this.#open.agents.register({
      id: this.#ids.uuid(),
      name,
      version: "1",
      capabilities: [name],
      endpoint: `http://${name}.test/`,
      metadata: null,
      channel: "push",
      maxConcurrency: 1,
      heartbeat: false,
      timeout: null,
      silenceTimeout: null,
      probe: null,
      registeredAt: this.#clock.now(),
      registrationTime: null,
      replace: "never",
      key: null,
    });
  }

  /** The first answer is lost; the key, asked again, tells the same. */
  async start(key: string): Promise<string> {
    const { plan, hash, text } = readDefinition(WORKFLOW, [], "strict");
    const { session } = await this.#open.sessions.start({
      sessionId: this.#ids.uuid(),
      workflowId: plan.id,
      workflowVersion: plan.version,
      planHash: hash,
      document: text,
      agentId: null,
      input: null,
      labels: { call: key },
      startAt: this.#clock.now(),
      callbackUrl: "http://receiver.test/",
      idempotency: { actor: "someone", operation: "sessions.start", key, bodyHash: "hash" },
    });
    const at = this.#at();
    this.client.push(
      { type: "asked", at, key, send: 1, n: 1 },
      { type: "unanswered", at, key, send: 1, problem: "reset" },
      { type: "asked", at, key, send: 2, n: 1 },
      { type: "answered", at, key, send: 2, status: 202, sessionId: session.id, replayed: true },
    );
    return session.id;
  }

  /** The agent does the next task that was sent, and says so. */
  async work(): Promise<void> {
    const attempt = this.#take();
    const { task, token } = this.#deliver(attempt);
    const result = { by: attempt.agentName };
    const name = attempt.agentName;
    if (!this.#done.has(task)) {
      this.effects.push({ type: "effect", at: this.#at(), agent: name, key: task, attempt: attempt.attempt, result });
    }
    this.#done.add(task);
    const outcome = { type: "succeeded", result: JSON.stringify(result), evidence: "result" } as const;
    await this.#open.attempts.settle(task, token, outcome);
    const ticket = { task, attempt: attempt.attempt, token };
    this.effects.push({ type: "reported", at: this.#at(), agent: name, ...ticket, status: 200, tries: 1 });
    this.#clock.advance(SECOND);
  }

  async fail(): Promise<void> {
    const attempt = this.#take();
    const { task, token } = this.#deliver(attempt);
    const error = { code: "agent_error", message: "Ask me again." };
    await this.#open.attempts.settle(task, token, { type: "failed", reason: "agent_error", error, evidence: "answer" });
    const ticket = { task, attempt: attempt.attempt, token };
    this.effects.push({ type: "answered", at: this.#at(), agent: attempt.agentName, ...ticket, status: "failed" });
  }

  async retry(): Promise<void> {
    this.#clock.advance(2 * SECOND);
    await this.#open.process.beat();
    await this.#open.tasks.claimLanes(10);
  }

  /** The client is told the result; the webhook arrives. */
  async end(key: string, sessionId: string): Promise<void> {
    const session = await this.#open.sessions.get(sessionId);
    const result: unknown = JSON.parse(session?.result ?? "null");
    const status = session?.status ?? "gone";
    this.client.push({ type: "ended", at: this.#at(), key, sessionId, status, result, expected: { by: "second" } });
    for (const { id, sessionId: of } of await this.#open.deliveries.due(10, ["message", "webhook"])) {
      const event = `session.${status}`;
      this.effects.push({ type: "webhook", at: this.#at(), id, session: of ?? "", event, status: 200 });
      await this.#open.deliveries.delivered(id, 1);
    }
    this.#clock.advance(SECOND);
  }

  /** Somebody is told all there is. */
  async follow(follows: StreamLog["follows"], id: string | null): Promise<void> {
    const target = follows === "all" ? null : await targetOf(follows)(this.#open, id ?? "", undefined);
    const streams = new EventStreams({ events: this.#open.events, timers: new TestTimers(), max: 9, maxPerKey: 9 });
    const follower = new Follower(target?.selection, target?.ended);
    await follower.connect(streams);
    await follower.takeAll();
    const told = follower.got.map(({ position, type }) => ({ position, type }));
    this.streams.push({ follows, id, told, resets: follower.resets, ended: follower.end });
    follower.cut();
  }

  #take(): ClaimedAttempt & { agentName: string } {
    const attempt = this.#sent.shift();
    if (attempt === undefined || attempt.agentName === null) throw new Error("nothing was sent to an agent");
    return { ...attempt, agentName: attempt.agentName };
  }

  #deliver({ taskId: task, attempt, token, sessionId, agentName }: ClaimedAttempt & { agentName: string }) {
    const ticket = { task, attempt, token };
    this.effects.push({
      type: "delivery",
      at: this.#at(),
      agent: agentName,
      ...ticket,
      session: sessionId,
      key: task,
      sentAt: "",
      known: this.#done.has(task),
    });
    return ticket;
  }

  /** Milliseconds. */
  #at(): number {
    return this.#clock.now() / 1000;
  }
}

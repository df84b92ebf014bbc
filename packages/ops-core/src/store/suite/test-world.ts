import assert from "node:assert/strict";
import { formatTime, type JsonObject, type JsonValue, OpspawnError, stringifyJson } from "@opspawn/contract";
import type { ApiKey } from "../../domain/auth/key.ts";
import { SECOND } from "../../domain/clock.ts";
import type { Delivery } from "../../domain/deliveries/delivery.ts";
import type { SessionRecord, StepRecord } from "../../domain/sessions/session.ts";
import type { CreateTask, Hints, RegisterAgent, Sender, Settled, StartSession, Store } from "../../domain/store.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type {
  AttemptOutcome,
  AttemptRecord,
  ClaimedAttempt,
  FailureReason,
  TaskRecord,
} from "../../domain/tasks/task.ts";
import type { Tool } from "../../domain/tools/tool.ts";
import { readDefinition } from "../../domain/workflows/definition.ts";
import { compileStored } from "../../domain/workflows/plans.ts";
import { TestClock } from "../../system/test-clock.ts";
import { TestIds } from "../../system/test-ids.ts";
import { verifyHistory } from "./test-history.ts";
import type { OpenedStore, StoreRig } from "./test-rig.ts";

/** Beats must not be further apart, or the store takes it for a gap. */
const BEAT = 2.9 * SECOND;

export interface ReportOptions {
  readonly details?: JsonValue;
  readonly taskId?: string;
  /** On the agent's own clock; null = it sent none. */
  readonly at?: number | null;
}

/** A store, a clock that stands still, ids that count, and what the store asked its process to send. */
export class World {
  readonly clock = new TestClock();
  readonly ids = new TestIds();
  /** What this process may send at once. */
  capacity = 1_000;
  /** Attempts that were handed to this process for sending, oldest first. */
  readonly sent: ClaimedAttempt[] = [];
  /** What commits have said, oldest first. */
  readonly hints: Hints[] = [];
  readonly #rig: StoreRig;
  #sendCapacity = () => this.capacity;
  #opened!: OpenedStore;
  #store!: Store;

  private constructor(rig: StoreRig) {
    this.#rig = rig;
  }

  /** @param sendCapacity what the process may send; by default `capacity` says it */
  static async open(rig: StoreRig, sendCapacity?: () => number): Promise<World> {
    const world = new World(rig);
    if (sendCapacity !== undefined) world.#sendCapacity = sendCapacity;
    await world.reopen();
    return world;
  }

  /** Every call is followed by an audit, unless the rig says otherwise. */
  get store(): Store {
    return this.#store;
  }

  /** The store itself, for calls by the thousand. */
  get raw(): Store {
    return this.#opened.store;
  }

  /** A process starts on the data that is there. */
  async reopen(): Promise<void> {
    this.#opened = await this.#rig.open({
      clock: this.clock,
      ids: this.ids,
      compile: compileStored,
      sendCapacity: this.#sendCapacity,
    });
    const { store } = this.#opened;
    this.#store = this.#rig.audited === "at the end" ? store : audited(store, () => this.audit());
    this.#store.onCommit((hints) => {
      this.hints.push(hints);
      this.sent.push(...hints.claimed);
    });
  }

  /** The process dies without a word and another one starts; what was being sent is forgotten. */
  async crash(): Promise<void> {
    this.#opened.crash();
    this.sent.length = 0;
    await this.reopen();
  }

  audit(): void {
    assert.deepEqual(this.#opened.audit(), []);
  }

  /** The history must tell how everything came to be as it is. */
  async verify(): Promise<void> {
    this.audit();
    assert.deepEqual(await verifyHistory(this.#opened.store), []);
  }

  async close(): Promise<void> {
    await this.#opened.store.close();
    await this.#rig.remove();
  }

  // --- agents -------------------------------------------------------------------------------------------------------

  /** Registers an agent; its id. */
  async agent(name: string, options: Partial<RegisterAgent> = {}): Promise<string> {
    const { agentId } = await this.store.agents.register(this.registration(name, options));
    return agentId;
  }

  registration(name: string, options: Partial<RegisterAgent> = {}): RegisterAgent {
    return {
      id: this.ids.uuid(),
      name,
      version: "1.0",
      capabilities: [],
      endpoint: options.channel === "pull" ? null : `http://${name}.test/`,
      metadata: null,
      channel: "push",
      maxConcurrency: 1,
      heartbeat: false,
      timeout: null,
      silenceTimeout: null,
      probe: null,
      registeredAt: this.clock.now(),
      registrationTime: null,
      replace: "never",
      key: null,
      ...options,
    };
  }

  toolOf(name: string, options: Partial<Tool> = {}): Tool {
    return {
      name,
      description: "",
      parameters: {},
      endpoint: `http://${name}.test/`,
      maxConcurrency: 10,
      registeredAt: this.clock.now(),
      ...options,
    };
  }

  /** Registers a tool. */
  async tool(name: string, options: Partial<Tool> = {}): Promise<void> {
    await this.store.tools.register(this.toolOf(name, options));
  }

  key(id: string, agentId: string | null = null): ApiKey {
    return {
      id,
      name: id,
      hash: `hash of ${id}`,
      scopes: ["admin"],
      agentId,
      registered: false,
      createdAt: this.clock.now(),
      expiresAt: null,
      revokedAt: null,
    };
  }

  /** A state report; the id of the task it settled. */
  async report(agentId: string, state: string, options: ReportOptions = {}): Promise<string | null> {
    const at = options.at === undefined ? this.clock.now() : options.at;
    const { settled } = await this.store.agents.report({
      agentId,
      state,
      details: options.details === undefined ? null : stringifyJson(options.details),
      timestamp: formatTime(at ?? this.clock.now()),
      reportedAt: at,
      taskId: options.taskId ?? null,
    });
    return settled;
  }

  /** The agent's slots as `held/draining`. */
  async slots(agentId: string): Promise<string> {
    const agent = await this.store.agents.get(agentId);
    return `${agent?.slots.held}/${agent?.slots.draining}`;
  }

  // --- sessions and tasks -------------------------------------------------------------------------------------------

  async start(
    document: JsonObject,
    options: Partial<StartSession> & { data?: JsonValue } = {},
  ): Promise<SessionRecord> {
    return (await this.store.sessions.start(this.session(document, options))).session;
  }

  session(document: JsonObject, { data, ...options }: Partial<StartSession> & { data?: JsonValue } = {}): StartSession {
    const { plan, hash, text } = readDefinition(document, [], "original");
    return {
      sessionId: this.ids.uuid(),
      workflowId: plan.id,
      workflowVersion: plan.version,
      planHash: hash,
      document: text,
      agentId: null,
      input: data === undefined ? null : stringifyJson(data),
      labels: {},
      startAt: this.clock.now(),
      callbackUrl: null,
      ...options,
    };
  }

  /** A task that stands alone; it wants capability `work` unless told otherwise. */
  async task(options: Partial<CreateTask> = {}): Promise<TaskRecord> {
    return (await this.store.tasks.create(this.newTask(options))).task;
  }

  newTask(options: Partial<CreateTask> = {}): CreateTask {
    return {
      taskId: `task_${this.ids.uuid()}`,
      name: "a task",
      requirement: { kind: "capability", capability: "work", preferred: null },
      parameters: "{}",
      readyAt: this.clock.now(),
      priority: 0,
      retry: STEP_RETRY,
      timeout: null,
      deadline: 86_400 * SECOND,
      ...options,
    };
  }

  delivery(options: Partial<Delivery> = {}): Delivery {
    return {
      id: `dlv_${this.ids.uuid()}`,
      kind: "webhook",
      url: "https://receiver.test/hook",
      headers: {},
      body: "{}",
      aggregate: "one",
      agentId: null,
      sessionId: null,
      cancellationId: null,
      status: "pending",
      attempts: 0,
      createdAt: this.clock.now(),
      nextAt: null,
      endedAt: null,
      lastError: null,
      ...options,
    };
  }

  async getSession(id: string): Promise<SessionRecord> {
    return need(await this.store.sessions.get(id), `session ${id}`);
  }

  async getTask(id: string): Promise<TaskRecord> {
    return need(await this.store.tasks.get(id), `task ${id}`);
  }

  /** The status of each step that was touched, by index. */
  async steps(sessionId: string): Promise<Record<number, StepRecord["status"]>> {
    const steps = await this.store.sessions.steps(sessionId);
    return Object.fromEntries(steps.map((step) => [step.index, step.status]));
  }

  async attempt(taskId: string, number: number): Promise<AttemptRecord> {
    const attempts = await this.store.tasks.attempts(taskId);
    return need(
      attempts.find((attempt) => attempt.number === number),
      `attempt ${number} of ${taskId}`,
    );
  }

  /** The types of a stream's events, in order. */
  async types(stream: string): Promise<string[]> {
    return (await this.store.events.list(0, 1_000, stream)).map((event) => event.type);
  }

  // --- the work of a process ----------------------------------------------------------------------------------------

  /** The oldest attempt to be sent to an agent that nobody has taken yet. */
  take(): ClaimedAttempt & { agentId: string; agentName: string } {
    const attempt = need(this.sent.shift(), "an attempt to send");
    const { agentId, agentName } = attempt;
    return { ...attempt, agentId: need(agentId, "agent of the attempt"), agentName: need(agentName, "agent's name") };
  }

  /** As `take`, of a tool that is to be called. */
  takeCall(): ClaimedAttempt & { tool: string } {
    const attempt = need(this.sent.shift(), "a call to make");
    return { ...attempt, tool: need(attempt.tool, "tool of the attempt") };
  }

  /** Claims whatever can be claimed, in every lane. */
  dispatch(): Promise<number> {
    return this.store.tasks.claimLanes(1_000);
  }

  /** Decides whatever is due. */
  expire(): Promise<number> {
    return this.store.attempts.expire(1_000);
  }

  /** Time passes while the process is alive: it beats, judges and claims. */
  async wait(micros: number): Promise<void> {
    for (let left = micros; left > 0; left -= BEAT) {
      this.clock.advance(Math.min(left, BEAT));
      await this.#opened.store.process.beat();
      await this.#opened.store.attempts.expire(1_000);
      await this.#opened.store.tasks.claimLanes(1_000);
    }
    this.audit();
  }

  /** The agent reports a result under its token. */
  complete(attempt: ClaimedAttempt, result: JsonValue = null): Promise<Settled> {
    return this.store.attempts.settle(attempt.taskId, attempt.token, succeeded(result));
  }

  fail(attempt: ClaimedAttempt, reason: FailureReason = "agent_error"): Promise<Settled> {
    return this.store.attempts.settle(attempt.taskId, attempt.token, failed(reason, "result"));
  }

  /** The sender saw the exchange end with an outcome. */
  observe(attempt: ClaimedAttempt, outcome: AttemptOutcome): Promise<Settled> {
    return this.store.attempts.observe(senderOf(attempt), outcome);
  }

  acknowledge(attempt: ClaimedAttempt): Promise<void> {
    return this.store.attempts.acknowledge(senderOf(attempt));
  }
}

export function senderOf({ taskId, attempt, epoch, send }: ClaimedAttempt): Sender {
  return { taskId, attempt, epoch, send };
}

export function succeeded(result: JsonValue = null, evidence: "result" | "answer" = "result"): AttemptOutcome {
  return { type: "succeeded", result: stringifyJson(result), evidence };
}

export interface FailureOptions {
  /** Microseconds. */
  readonly retryAfter?: number;
  readonly retryable?: boolean;
}

export function failed(
  reason: FailureReason,
  evidence: "result" | "answer" | null = null,
  { retryAfter, retryable = reason === "rejected" ? false : undefined }: FailureOptions = {},
): AttemptOutcome {
  return {
    type: "failed",
    reason,
    error: { code: reason, message: `It failed: ${reason}.`, ...(retryable === undefined ? {} : { retryable }) },
    evidence,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** For `assert.rejects`. */
export function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof OpspawnError && error.code === code;
}

export function need<T>(value: T | null | undefined, what: string): T {
  assert.ok(value !== null && value !== undefined, `there is no ${what}`);
  return value;
}

function audited(store: Store, audit: () => void): Store {
  const parts = new Map<unknown, unknown>();
  const wrap = (part: object): unknown =>
    new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value === "function")
          return (...given: unknown[]) => after(Reflect.apply(value, target, given), audit);
        if (typeof value !== "object" || value === null) return value;
        if (!parts.has(value)) parts.set(value, wrap(value));
        return parts.get(value);
      },
    });
  return wrap(store) as Store;
}

function after(answer: unknown, audit: () => void): unknown {
  return answer instanceof Promise ? answer.finally(audit) : answer;
}

import assert from "node:assert/strict";
import { type JsonObject, parseTime } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import type { Idempotency, StoredEvent } from "../../packages/ops-core/src/domain/store.ts";
import { STEP_RETRY } from "../../packages/ops-core/src/domain/tasks/retry.ts";
import type { TaskRecord } from "../../packages/ops-core/src/domain/tasks/task.ts";
import { response } from "../../packages/ops-core/src/engine/test-http.ts";
import { need } from "../../packages/ops-core/src/store/suite/test-world.ts";
import { type Manner, SimulatedAgent } from "./agents.ts";
import { type Host, Simulation } from "./simulation.ts";

const TROUBLE_MS = 40_000;
const DRAIN_MS = 300_000;
const MANNERS: readonly Manner[] = ["answers", "posts", "names", "states", "pulls"];
const CAPABILITIES = ["read", "write", "check"];
const RETRY = { maxAttempts: 5, initialDelay: "100ms", maxDelay: "2s" };

interface Asked {
  readonly kind: "session" | "task";
  readonly id: string;
  answered: boolean;
}

/** A client that asks for work under keys, repeats what got no answer, and changes its mind. */
class Client implements Host {
  readonly asked: Asked[] = [];
  /** How often each session that promised to has called back. */
  readonly calledBack = new Map<string, number>();
  readonly #refused = new Set<string>();
  readonly #sim: Simulation;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  readonly isReliable = true;

  /** Takes webhooks, some at the second try; the third would be minutes later. */
  async receive({ body }: HttpPost): Promise<HttpResult> {
    const { sessionId } = (JSON.parse(body) as { data: { sessionId: string } }).data;
    if (!this.#refused.has(sessionId) && this.#sim.roll(0.3)) {
      this.#refused.add(sessionId);
      return response(503);
    }
    this.calledBack.set(sessionId, (this.calledBack.get(sessionId) ?? 0) + 1);
    return response(204);
  }

  ask(): void {
    const sim = this.#sim;
    if (sim.healed) return;
    if (sim.roll(0.7)) this.#startSession();
    else this.#createTask();
    sim.later(sim.between(50, 1_500), () => this.ask());
  }

  #startSession(): void {
    const { world } = this.#sim;
    const sessionId = world.ids.uuid();
    const callbackUrl = this.#sim.roll(0.3) ? "https://receiver.test/hook" : null;
    if (callbackUrl !== null) this.calledBack.set(sessionId, 0);
    const session = world.session(this.#workflow(), { sessionId, callbackUrl, idempotency: this.#key(sessionId) });
    const asked: Asked = { kind: "session", id: sessionId, answered: false };
    this.#repeat(asked, async () => {
      const answer = await world.raw.sessions.start(session);
      assert.equal(answer.session.id, sessionId);
    });
    if (this.#sim.roll(0.1))
      this.#sim.later(2_000, () => world.raw.sessions.cancel(sessionId, "x").catch(() => undefined));
  }

  #createTask(): void {
    const sim = this.#sim;
    const { world } = sim;
    const taskId = `task_${world.ids.uuid()}`;
    const task = world.newTask({
      taskId,
      idempotency: this.#key(taskId),
      requirement: { kind: "capability", capability: sim.pick(CAPABILITIES), preferred: null },
      retry: { ...STEP_RETRY, maxAttempts: 4, initialDelay: 100_000, maxDelay: 2_000_000 },
      priority: sim.between(-1, 1),
      deadline: sim.between(20, 200) * 1_000_000,
    });
    const asked: Asked = { kind: "task", id: taskId, answered: false };
    this.#repeat(asked, async () => assert.equal((await world.raw.tasks.create(task)).task.id, taskId));
    if (sim.roll(0.1)) sim.later(1_000, () => world.raw.tasks.cancel(taskId, "x").catch(() => undefined));
  }

  /** Until it is answered: with the same key it is one request, however often it is made. */
  #repeat(asked: Asked, request: () => Promise<void>): void {
    this.asked.push(asked);
    const attempt = (): Promise<void> =>
      request().then(
        () => {
          asked.answered = true;
          if (this.#sim.roll(0.1)) request().catch(() => undefined);
        },
        () => this.#sim.later(300, attempt),
      );
    void attempt();
  }

  #key(key: string): Idempotency {
    return { actor: "client", operation: "ask", key, bodyHash: key };
  }

  /** Some steps, each waiting for some of those before it. */
  #workflow(): JsonObject {
    const sim = this.#sim;
    const size = sim.between(1, 5);
    const tasks = Array.from({ length: size }, (_, i): JsonObject => {
      const before = Array.from({ length: i }, (_each, j) => `s${j}`).filter(() => sim.roll(0.5));
      const fallback = sim.roll(0.2) ? { fallback: { agentCapability: sim.pick(CAPABILITIES) } } : {};
      const onFailure = sim.pick(["fail", "continue"]);
      const capability = sim.pick(CAPABILITIES);
      return { taskId: `s${i}`, agentCapability: capability, dependsOn: before, retry: RETRY, onFailure, ...fallback };
    });
    const id = `flow${sim.between(1, 1_000_000_000)}`;
    return { id, name: id, tasks, deadline: "3m" };
  }
}

/** One seed from its first request to the end of everything; the log of what happened. */
export async function simulate(seed: number): Promise<StoredEvent[]> {
  const sim = new Simulation(seed);
  await sim.start();
  const agents = Array.from({ length: 6 }, (_, i) => {
    const manner = MANNERS[i] ?? sim.pick(MANNERS);
    return new SimulatedAgent(
      sim,
      `${manner}${i}`,
      manner,
      CAPABILITIES.filter(() => i < 2 || sim.roll(0.6)),
    );
  });
  const client = new Client(sim);
  const trouble = () => {
    if (sim.healed) return;
    if (sim.roll(0.6)) sim.crash();
    else sim.stall(sim.between(1_000, 8_000));
    sim.later(sim.between(4_000, 15_000), trouble);
  };
  try {
    for (const agent of agents) {
      sim.hosts.set(`${agent.name}.test`, agent);
      await persist(() => agent.register(), sim);
      agent.live();
    }
    sim.hosts.set("receiver.test", client);
    client.ask();
    sim.later(5_000, trouble);
    await sim.run(TROUBLE_MS, async () => false);
    sim.healed = true;
    const isDone = async () => client.asked.every(({ answered }) => answered) && (await openWork(sim)) === 0;
    assert.ok(await sim.run(DRAIN_MS, isDone), `after ${DRAIN_MS} ms ${await openWork(sim)} are still open`);
    await sim.world.verify();
    return await judge(sim, client, agents);
  } finally {
    await sim.world.close();
  }
}

/** Again and again, while commits fail. */
async function persist(deed: () => Promise<void>, sim: Simulation): Promise<void> {
  let done = false;
  void deed().then(
    () => {
      done = true;
    },
    () => undefined,
  );
  await sim.run(1_000, async () => done);
  if (!done) await persist(deed, sim);
}

async function openWork(sim: Simulation): Promise<number> {
  const { tasks, sessions, deliveries } = sim.world.raw;
  let open = 0;
  for (const status of ["pending", "running"]) open += (await tasks.list({ limit: 200 }, { status })).items.length;
  for (const status of ["started", "running"]) open += (await sessions.list({ limit: 200 }, { status })).items.length;
  return open + (await deliveries.list({ limit: 200 }, { status: "pending" })).items.length;
}

/** What must hold beyond the invariants of rows and log. */
async function judge(sim: Simulation, client: Client, agents: readonly SimulatedAgent[]): Promise<StoredEvent[]> {
  const { raw: store } = sim.world;
  const tasks: TaskRecord[] = [];
  for (const { kind, id } of client.asked) {
    if (kind === "session") assert.notEqual((await store.sessions.get(id))?.endedAt ?? null, null, `session ${id}`);
    else tasks.push(await sim.world.getTask(id));
    if (kind === "session") tasks.push(...(await store.tasks.list({ limit: 200 }, { session: id })).items);
  }
  for (const task of tasks) {
    const reached = agents.some(({ received }) => received.has(task.id));
    if (task.status === "completed") assert.ok(reached, `${task.id} completed, but no agent ever got it`);
    if (task.status === "failed") assert.ok(task.error !== null);
    await judgeAttempts(sim, task);
  }
  for (const [sessionId, times] of client.calledBack) assert.ok(times > 0, `${sessionId} never called back`);
  assert.deepEqual(sim.complaints, []);
  const events = await allEvents(sim);
  judgeTimes(events);
  return events;
}

/** The accepted outcome is that of the last token. */
async function judgeAttempts(sim: Simulation, task: TaskRecord): Promise<void> {
  const attempts = await sim.world.raw.tasks.attempts(task.id);
  const succeeded = attempts.filter(({ status }) => status === "succeeded").map(({ number }) => number);
  assert.deepEqual(succeeded, task.status === "completed" ? [attempts.length] : []);
}

async function allEvents(sim: Simulation): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await sim.world.raw.events.list(events.at(-1)?.position ?? 0, 500);
    events.push(...page);
    if (page.length === 0) return events;
  }
}

/** The shortest time an agent here gives itself. */
const SHORTEST_TIMEOUT = 2_000_000;

/** No attempt or timeout before its time, and no wait beyond what the policy allows. */
function judgeTimes(events: readonly StoredEvent[]): void {
  const readyAt = new Map<unknown, number>();
  const createdAt = new Map<unknown, number>();
  for (const { type, at, data } of events) {
    if (type === "task.retrying") {
      const ready = need(parseTime(String(data.readyAt)), "time");
      readyAt.set(data.taskId, ready);
      assert.ok(ready - at <= 30_000_000, `${data.taskId} waits for ${ready - at} us`);
    }
    if (type === "attempt.timed_out") {
      const lasted = at - (createdAt.get(data.taskId) ?? at);
      assert.ok(lasted >= SHORTEST_TIMEOUT, `${data.taskId} timed out after ${lasted} us`);
    }
    if (type !== "attempt.created") continue;
    createdAt.set(data.taskId, at);
    assert.ok(at >= (readyAt.get(data.taskId) ?? 0), `${data.taskId} ran too early`);
  }
}

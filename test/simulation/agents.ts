import type { JsonObject } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import type { AttemptOutcome } from "../../packages/ops-core/src/domain/tasks/task.ts";
import { response } from "../../packages/ops-core/src/engine/test-http.ts";
import { failed, succeeded } from "../../packages/ops-core/src/store/suite/test-world.ts";
import type { Host, Simulation } from "./simulation.ts";

/** How an agent tells outcomes. */
export type Manner = "answers" | "posts" | "names" | "states" | "pulls";

interface Work {
  readonly taskId: string;
  readonly attempt: number;
  readonly token: string;
}

/** An agent that does its work, most of the time, and tells of it in its own manner; it lies, hangs, dies and repeats itself. */
export class SimulatedAgent implements Host {
  readonly name: string;
  readonly manner: Manner;
  readonly slots: number;
  id = "";
  /** The tasks that have reached it. */
  readonly received = new Set<string>();
  /** The token of each attempt it was sent. */
  readonly #tokens = new Map<string, string>();
  readonly #sim: Simulation;
  readonly #capabilities: readonly string[];
  /** What it remembers of tasks it has done: it does each once. */
  readonly #done = new Map<string, boolean>();
  /** Counts its lives; what an earlier life had under way is gone. */
  #life = 0;

  constructor(sim: Simulation, name: string, manner: Manner, capabilities: readonly string[]) {
    this.#sim = sim;
    this.name = name;
    this.manner = manner;
    this.#capabilities = capabilities;
    this.slots = sim.between(1, 3);
  }

  async register(): Promise<void> {
    const { world } = this.#sim;
    const options = {
      capabilities: this.#capabilities,
      channel: this.manner === "pulls" ? "pull" : "push",
      maxConcurrency: this.slots,
      timeout: this.#sim.between(2, 6) * 1_000_000,
      replace: "allowed",
    } as const;
    const { agentId } = await world.raw.agents.register(world.registration(this.name, options));
    this.id = agentId;
  }

  /** Its own life: polls, noise and restarts, as long as the simulation lasts. */
  live(): void {
    if (this.manner === "pulls") this.#sim.later(100, () => this.#poll());
    this.#sim.later(this.#sim.between(3_000, 20_000), () => this.#misbehave());
  }

  async receive({ body, headers }: HttpPost): Promise<HttpResult> {
    const sim = this.#sim;
    const { opspawn } = JSON.parse(body) as { opspawn: Work };
    this.#checkIdentity(opspawn, headers?.["idempotency-key"]);
    if (!sim.healed) {
      if (sim.roll(0.05)) return new Promise(() => undefined);
      if (sim.roll(0.06)) return response(500);
      if (sim.roll(0.03)) return response(503, "", { "retry-after": "1" });
    }
    this.received.add(opspawn.taskId);
    if (this.manner === "answers") return this.#answer(opspawn);
    const life = this.#life;
    const work = this.#work(opspawn);
    // Some say that they have it, others keep the exchange open until it is done.
    if (sim.roll(0.3)) await work;
    return life === this.#life ? response(202) : new Promise(() => undefined);
  }

  /** Each send of an attempt carries the same token, and each attempt of a task the same key. */
  #checkIdentity({ taskId, attempt, token }: Work, key: string | undefined): void {
    const name = `${taskId}/${attempt}`;
    const known = this.#tokens.get(name) ?? token;
    this.#tokens.set(name, known);
    if (known !== token || key !== taskId) this.#sim.complaints.push(`${name} came with another token or key`);
  }

  async #answer(work: Work): Promise<HttpResult> {
    const life = this.#life;
    const good = await this.#do(work);
    if (life !== this.#life) return new Promise(() => undefined);
    return response(200, good ? { status: "completed", result: this.name } : { status: "failed", error: "no luck" });
  }

  /** Does a task once, however often it comes. */
  async #do({ taskId }: Work): Promise<boolean> {
    const sim = this.#sim;
    const known = this.#done.get(taskId);
    if (known !== undefined) return known;
    const slow = !sim.healed && sim.roll(0.08);
    await sim.sleep(slow ? sim.between(5_000, 15_000) : sim.between(5, 800));
    const good = sim.healed || sim.roll(0.85);
    if (good) this.#done.set(taskId, good);
    return good;
  }

  async #work(work: Work): Promise<void> {
    const life = this.#life;
    const started = this.#clock();
    if (this.manner !== "posts") this.#report("active", work, started);
    const good = await this.#do(work);
    if (life !== this.#life) return;
    if (this.manner === "posts" || this.manner === "pulls") this.#settle(work, good);
    else this.#report(good ? "idle" : "error", work, this.#clock());
    if (!good && this.manner !== "posts") this.#sim.later(300, () => this.#report("idle", undefined, this.#clock()));
  }

  /** Posts the result, now or too late, once or more often, until it is heard. */
  #settle({ taskId, token }: Work, good: boolean): void {
    const sim = this.#sim;
    const outcome: AttemptOutcome = good ? succeeded(this.name) : failed("agent_error", "result");
    const times = !sim.healed && sim.roll(0.2) ? 2 : 1;
    for (let i = 0; i < times; i += 1) sim.later(sim.between(0, 50), () => attemptTo());
    const attemptTo = (): Promise<unknown> =>
      sim.world.raw.attempts.settle(taskId, token, outcome).catch(() => sim.later(500, attemptTo));
  }

  /** A report takes its time, so that reports overtake each other. */
  #report(state: string, work: Work | undefined, at: number): void {
    const sim = this.#sim;
    const taskId = this.manner === "names" ? (work?.taskId ?? null) : null;
    const details: JsonObject = { result: this.name };
    const send = (): Promise<unknown> =>
      sim.world.raw.agents
        .report({ agentId: this.id, state, details: JSON.stringify(details), timestamp: "", reportedAt: at, taskId })
        .catch(() => (sim.healed ? undefined : sim.later(500, send)));
    sim.later(sim.between(1, 120), send);
    if (!sim.healed && sim.roll(0.05)) sim.later(sim.between(1, 2_000), send);
  }

  /** Its clock is not ours. */
  #clock(): number {
    return this.#sim.now * 1_000 + 7_777_777_777;
  }

  // --- pulling --------------------------------------------------------------------------------------------------------

  async #poll(): Promise<void> {
    const sim = this.#sim;
    const { attempts, agents } = sim.world.raw;
    const life = this.#life;
    const given = await agents.claim(this.id, this.slots).catch(() => []);
    for (const attempt of given) {
      if (life !== this.#life || this.received.has(attempt.token)) continue;
      this.received.add(attempt.taskId).add(attempt.token);
      await attempts.extendLease(attempt.taskId, attempt.token).catch(() => undefined);
      void this.#work(attempt);
    }
    sim.later(sim.between(200, 1_500), () => this.#poll());
  }

  // --- misbehaving ----------------------------------------------------------------------------------------------------

  async #misbehave(): Promise<void> {
    const sim = this.#sim;
    if (sim.healed) return;
    const deeds = [
      () => this.#restart(),
      () =>
        this.#report(sim.pick(["active", "idle", "error", "finished", "a word of its own"]), undefined, this.#clock()),
      () => this.#report("idle", undefined, this.#clock() - sim.between(1, 90) * 1_000_000),
      () => sim.world.raw.attempts.settle("task_unknown", "1.no", succeeded()),
    ];
    await Promise.resolve(sim.pick(deeds)()).catch(() => undefined);
    sim.later(sim.between(3_000, 20_000), () => this.#misbehave());
  }

  /** It dies and comes back, and says so in one way or another, or not at all. */
  async #restart(): Promise<void> {
    const sim = this.#sim;
    this.#life += 1;
    await sim.sleep(sim.between(10, 3_000));
    if (sim.roll(0.4)) await this.register();
    else if (sim.roll(0.5)) this.#report("initializing", undefined, this.#clock());
    this.#report("idle", undefined, this.#clock() + 1);
  }
}

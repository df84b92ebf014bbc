import type { JsonObject } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import type { Settled, Store } from "../../packages/ops-core/src/domain/store.ts";
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

/** How work came. */
interface Message {
  readonly key: string;
  readonly session: string | null;
  readonly doubled: boolean;
}

interface Told {
  readonly work?: Work;
  readonly result?: string | null;
  /** Microseconds by which it is dated back. */
  readonly back?: number;
}

const NEVER = new Promise<never>(() => undefined);

/**
 * An agent that does its work, most of the time, and tells of it in its own manner; it lies, hangs, dies and repeats
 * itself. It keeps what it has done under the task's key, as an agent should.
 */
export class SimulatedAgent implements Host {
  readonly name: string;
  readonly manner: Manner;
  readonly slots: number;
  readonly takesDoubles: boolean;
  id = "";
  readonly #sim: Simulation;
  readonly #capabilities: readonly string[];
  /** The tasks that have reached it, and for one that asks for its work, the tokens. */
  readonly #received = new Set<string>();
  /** Counts its lives; what an earlier life had under way is gone. */
  #life = 0;

  constructor(sim: Simulation, name: string, manner: Manner, capabilities: readonly string[]) {
    this.#sim = sim;
    this.name = name;
    this.manner = manner;
    this.#capabilities = capabilities;
    this.slots = sim.between(1, 3);
    // What is told by states alone belongs to whatever the agent was sent last, so a double would tell of another task.
    this.takesDoubles = manner === "answers" || manner === "posts";
  }

  async register(): Promise<void> {
    const { world } = this.#sim;
    const registration = world.registration(this.name, {
      capabilities: this.#capabilities,
      channel: this.manner === "pulls" ? "pull" : "push",
      maxConcurrency: this.slots,
      timeout: this.#sim.between(2, 6) * 1_000_000,
      replace: "allowed",
    });
    const { agentId } = await this.#sim.call((store) => store.agents.register(registration));
    this.id = agentId;
  }

  /** Its own life: polls, noise, restarts and leaves, as long as the simulation lasts. */
  live(): void {
    if (this.manner === "pulls") this.#sim.later(100, () => this.#poll());
    this.#sim.later(this.#sim.between(3_000, 20_000), () => this.#misbehave());
  }

  async receive({ body, headers }: HttpPost, doubled = false): Promise<HttpResult> {
    const sim = this.#sim;
    const { opspawn, opscore_session_id: session } = JSON.parse(body) as JsonObject;
    const work = opspawn as unknown as Work;
    if (sim.fault("agent hung", 0.05)) return NEVER;
    if (sim.fault("agent answered 500", 0.06)) return response(500);
    if (sim.fault("agent answered 503", 0.03)) return response(503, "", { "retry-after": "1" });
    this.#note(work, { key: String(headers?.["idempotency-key"]), session: session as string | null, doubled });
    if (this.manner === "answers") return this.#answer(work);
    const life = this.#life;
    const working = this.#work(work);
    // Some say that they have it, others keep the exchange open until it is done.
    if (sim.roll(0.3)) await working;
    return life === this.#life ? response(202) : NEVER;
  }

  #note({ taskId, attempt, token }: Work, { key, session, doubled }: Message): void {
    const sim = this.#sim;
    const known = this.#received.has(taskId);
    this.#received.add(taskId);
    sim.story.tell(this.name, `gets ${taskId} (${attempt})`);
    sim.effects.push({
      type: "delivery",
      at: sim.now,
      agent: this.name,
      session,
      key,
      task: taskId,
      attempt,
      token,
      sentAt: "",
      known,
      doubled,
    });
  }

  async #answer(work: Work): Promise<HttpResult> {
    const life = this.#life;
    const result = await this.#do(work);
    if (life !== this.#life) return NEVER;
    const { taskId: task, attempt, token } = work;
    const status = result === null ? "failed" : "completed";
    this.#sim.effects.push({ type: "answered", at: this.#sim.now, agent: this.name, task, attempt, token, status });
    return response(200, result === null ? { status, error: "no luck" } : { status, result });
  }

  /** What comes of a task, done once however often it is asked for and by whomever; null = it did not work. */
  async #do({ taskId, attempt }: Work): Promise<string | null> {
    const sim = this.#sim;
    if (!sim.done.has(taskId)) {
      const slow = sim.fault("agent was slow", 0.08);
      await sim.sleep(slow ? sim.between(5_000, 15_000) : sim.between(5, 800));
      if (sim.fault("agent failed", 0.15)) return null;
    }
    const known = sim.done.get(taskId);
    if (known !== undefined) return known;
    const result = this.name;
    sim.done.set(taskId, result);
    sim.story.tell(this.name, `has done ${taskId} (${attempt})`);
    sim.effects.push({ type: "effect", at: sim.now, agent: this.name, key: taskId, attempt, result });
    return result;
  }

  async #work(work: Work): Promise<void> {
    const sim = this.#sim;
    const life = this.#life;
    const byResult = this.manner === "posts" || this.manner === "pulls";
    if (!byResult) this.#report("active", { work });
    const result = await this.#do(work);
    if (life !== this.#life) return;
    if (byResult) this.#settle(work, result);
    else this.#report(result === null ? "error" : "idle", { work, result });
    if (result === null && this.manner !== "posts") sim.later(300, () => this.#report("idle"));
  }

  /** Posts the result, now or too late, once or more often, until it is heard. */
  #settle({ taskId, token, attempt }: Work, result: string | null): void {
    const sim = this.#sim;
    const outcome: AttemptOutcome = result === null ? failed("agent_error", "result") : succeeded(result);
    let tries = 0;
    const post = async (): Promise<void> => {
      tries += 1;
      try {
        const { type } = await sim.call((store) => store.attempts.settle(taskId, token, outcome), true);
        this.#heard({ taskId, token, attempt }, type, result !== null, tries);
      } catch {
        sim.later(500, post);
      }
    };
    const times = sim.fault("result posted twice", 0.2) ? 2 : 1;
    for (let i = 0; i < times; i += 1) sim.later(sim.between(0, 50), post);
  }

  #heard({ taskId: task, token, attempt }: Work, type: Settled["type"], good: boolean, tries: number): void {
    const sim = this.#sim;
    sim.story.tell(this.name, `posted the result of ${task} (${attempt}): ${type}`);
    if (!good) return;
    const status = type === "stale" ? 409 : 200;
    sim.effects.push({ type: "reported", at: sim.now, agent: this.name, task, attempt, token, status, tries });
  }

  /** A report takes its time, so that reports overtake each other. */
  #report(state: string, { work, result = this.name, back = 0 }: Told = {}): void {
    const sim = this.#sim;
    const taskId = this.manner === "names" ? (work?.taskId ?? null) : null;
    const report = {
      agentId: this.id,
      state,
      details: JSON.stringify({ result }),
      timestamp: "",
      reportedAt: this.#clock() - back,
      taskId,
    };
    const send = (): Promise<unknown> =>
      sim
        .call((store: Store) => store.agents.report(report))
        .catch(() => (sim.healed ? undefined : sim.later(500, send)));
    sim.later(sim.between(1, 120), send);
    if (sim.fault("report doubled", 0.05)) sim.later(sim.between(1, 2_000), send);
  }

  /** Its clock is not ours. */
  #clock(): number {
    return this.#sim.now * 1_000 + 7_777_777_777;
  }

  // --- asking for work ------------------------------------------------------------------------------------------------

  async #poll(): Promise<void> {
    const sim = this.#sim;
    const life = this.#life;
    const given = await sim.call((store) => store.agents.claim(this.id, this.slots)).catch(() => []);
    for (const attempt of given) {
      if (life !== this.#life || this.#received.has(attempt.token)) continue;
      this.#received.add(attempt.token);
      this.#note(attempt, { key: attempt.taskId, session: attempt.sessionId, doubled: false });
      await sim.call((store) => store.attempts.extendLease(attempt.taskId, attempt.token)).catch(() => undefined);
      void this.#work(attempt);
    }
    sim.later(sim.between(200, 1_500), () => this.#poll());
  }

  // --- misbehaving ----------------------------------------------------------------------------------------------------

  async #misbehave(): Promise<void> {
    const sim = this.#sim;
    if (sim.healed) return;
    const word = () => sim.pick(["active", "idle", "error", "finished", "a word of its own"]);
    const deeds: readonly [string, () => unknown][] = [
      ["agent restarted", () => this.#restart()],
      ["agent left and came back", () => this.#leave()],
      ["report without cause", () => this.#report(word())],
      ["report dated back", () => this.#report("idle", { back: sim.between(1, 90) * 1_000_000 })],
      ["unknown task", () => sim.call((store) => store.attempts.settle("task_unknown", "1.no", succeeded()))],
      ["token made up", () => this.#makeUpToken()],
    ];
    const [name, deed] = sim.pick(deeds);
    sim.count(name);
    await Promise.resolve(deed()).catch(() => undefined);
    sim.later(sim.between(3_000, 20_000), () => this.#misbehave());
  }

  /** It tells the outcome of the task it was given last, under a token that it never got. */
  async #makeUpToken(): Promise<void> {
    const sim = this.#sim;
    const last = sim.effects.findLast((entry) => entry.type === "delivery" && entry.agent === this.name);
    if (last?.type !== "delivery") return;
    const token = `${sim.between(1, last.attempt + 1)}.made-up`;
    const { type } = await sim.call((store) => store.attempts.settle(last.task, token, succeeded("made up")));
    sim.complaints.push(`a result of ${last.task} under the token ${token}, which nobody was given, was ${type}`);
  }

  /** It dies and comes back, and says so in one way or another, or not at all. */
  async #restart(): Promise<void> {
    const sim = this.#sim;
    this.#life += 1;
    sim.story.tell(this.name, "dies");
    await sim.sleep(sim.between(10, 3_000));
    sim.story.tell(this.name, "is back");
    if (sim.roll(0.4)) await this.register();
    else if (sim.roll(0.5)) this.#report("initializing");
    this.#report("idle", { back: -1 });
  }

  /** It is taken off the register, with whatever it holds, and registers again. */
  async #leave(): Promise<void> {
    const sim = this.#sim;
    sim.story.tell(this.name, "leaves");
    await sim.call((store) => store.agents.remove(this.id)).catch(() => undefined);
    await sim.sleep(sim.between(100, 3_000));
    await this.#persist();
  }

  async #persist(): Promise<void> {
    await this.register().catch(async () => {
      await this.#sim.sleep(300);
      await this.#persist();
    });
  }
}

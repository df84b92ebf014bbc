import { type JsonObject, parseTime } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import type { Settled, Store } from "../../packages/ops-core/src/domain/store.ts";
import type { AttemptOutcome } from "../../packages/ops-core/src/domain/tasks/task.ts";
import { response } from "../../packages/ops-core/src/engine/test-http.ts";
import { failed, succeeded } from "../../packages/ops-core/src/store/suite/test-world.ts";
import { Cashier } from "./cashier.ts";
import { Effort } from "./effort.ts";
import { type Arrival, type Host, NEVER } from "./host.ts";
import { Impostor } from "./impostor.ts";
import { OwnSlots } from "./own-slots.ts";
import { Register } from "./register.ts";
import type { Simulation } from "./simulation.ts";
import { Temper } from "./temper.ts";
import { type Made, type Manner, type Message, NO_TEXT, reportOf, type Told, type Work, wishesOf } from "./work.ts";

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
  #told = 0;
  readonly #impostor: Impostor;
  readonly #own = new OwnSlots();
  readonly #temper: Temper;
  readonly #cashier: Cashier;
  /** It gives signs of life by itself. */
  readonly #beats: boolean;
  readonly #timeout: number;
  readonly #register: Register;
  #version = 0;
  /** Until when it can do nothing but fail, and until when it says nothing at all. */
  #sickUntil = 0;
  readonly effort: Effort;
  /** It is not registered, or may not be. */
  isAway = false;
  #silentUntil = 0;

  constructor(sim: Simulation, name: string, manner: Manner, capabilities: readonly string[]) {
    this.#sim = sim;
    this.name = name;
    this.manner = manner;
    this.#capabilities = capabilities;
    this.slots = sim.between(1, 3);
    this.#impostor = new Impostor(sim, this);
    this.#cashier = new Cashier(sim, name, () => void this.#restart().catch(() => undefined));
    this.#beats = manner === "posts" && sim.roll(0.5);
    // Who asks for work gives itself longer than a lease lasts: what it holds when it falls silent is lost before that.
    this.#register = new Register(sim, name, manner !== "pulls" && (name.endsWith("5") || sim.roll(0.2)));
    this.id = sim.world.ids.uuid();
    const patience = manner === "pulls" ? 16 : sim.pick([2, 8]);
    this.#temper = new Temper(sim, name, this.#own, manner !== "pulls" && sim.roll(0.7));
    this.#timeout = sim.between(patience, patience + 6) * 1_000_000;
    // What is told by states alone belongs to whatever the agent was sent last, so a double would tell of another task.
    this.effort = new Effort(sim, name);
    this.takesDoubles = manner === "answers" || manner === "posts";
  }

  /** It tells of itself, or AgentKit does. */
  async register(): Promise<void> {
    const { world } = this.#sim;
    const registration = world.registration(this.name, {
      id: this.#register.isAnnounced ? this.id : world.ids.uuid(),
      registrationTime: this.#register.isAnnounced ? `life ${this.#life}` : null,
      version: `1.${this.#version}`,
      capabilities: this.#capabilities,
      metadata: this.#temper.takesMessages ? { config: { cancel: true } } : null,
      channel: this.manner === "pulls" ? "pull" : "push",
      maxConcurrency: this.slots,
      heartbeat: this.#beats,
      timeout: this.#timeout,
      silenceTimeout: this.effort.silenceTimeout,
      probe: this.effort.probe,
      replace: "allowed",
    });
    // Its slots are free then, whether it hears of that or not.
    this.id = await this.#register.enter(registration).finally(() => this.#own.forget());
  }

  /** For a while it fails at whatever it is asked. */
  sicken(ms: number): void {
    this.#sim.story.tell(this.name, `is sick for ${ms} ms`);
    this.#sickUntil = this.#sim.now + ms;
  }

  /** Its own life: polls, noise, restarts and leaves, as long as the simulation lasts. */
  live(): void {
    if (this.manner === "pulls") this.#sim.later(100, () => this.#poll());
    if (this.#beats) this.#sim.later(3_000, () => this.#beat());
    this.#sim.later(this.#sim.between(3_000, 20_000), () => this.#misbehave());
  }

  async receive(request: HttpPost, { doubled, sent }: Arrival): Promise<HttpResult> {
    const sim = this.#sim;
    const { body, headers } = request;
    const answer = this.#temper.receive(request);
    if (answer !== null) return answer;
    const said = sim.chat.receive(body, doubled);
    if (said !== null) return said;
    const { opspawn, opscore_session_id: session, payload, timestamp } = JSON.parse(body) as JsonObject;
    const told = opspawn as unknown as Omit<Work, "wantsText" | "pays"> & { readonly deadline: string };
    const work: Work = { ...told, ...wishesOf(payload as JsonObject) };
    if (sim.fault("agent hung", 0.05)) return NEVER;
    const refusal = this.#refusal();
    if (refusal !== null) {
      // Whoever says that it cannot do a task is not at it.
      this.#own.end(work.taskId);
      return refusal;
    }
    const lasts = (parseTime(told.deadline) ?? 0) - (parseTime(String(timestamp)) ?? 0);
    const key = String(headers?.["idempotency-key"]);
    this.#note(work, { key, session: session as string | null, doubled, sent, lasts });
    if (this.manner === "answers") return this.#answer(work);
    const life = this.#life;
    const working = this.#work(work);
    // Some say that they have it, others keep the exchange open until it is done.
    if (sim.roll(0.3)) await working;
    return life === this.#life ? response(202) : NEVER;
  }

  #refusal(): HttpResult | null {
    const sim = this.#sim;
    const isSick = !sim.healed && sim.now < this.#sickUntil;
    if (sim.fault("agent answered 500", isSick ? 0.7 : 0.06)) return response(500);
    if (sim.fault("agent answered 503", isSick ? 0.9 : 0.03)) return response(503, "", { "retry-after": "1" });
    return null;
  }

  #note({ taskId, attempt, token }: Work, { key, session, doubled, sent, lasts }: Message): void {
    const sim = this.#sim;
    // However the attempt ends, its slot is not given away before the agent has had the time that it was promised.
    if (!doubled && !sim.done.has(taskId)) this.#own.begin(taskId, token, sim.clock.now(), lasts);
    const most = this.#own.most(sim.clock.now());
    // Who is done with one of its tasks and says `idle` has said that it is free, whatever else it is at.
    const isExact = this.manner !== "states" && this.manner !== "names";
    if (isExact && most > this.slots)
      sim.complaints.push(`${this.name} has ${this.slots} slots and is at ${most} tasks with ${taskId}`);
    const known = this.#received.has(taskId);
    this.#received.add(taskId);
    sim.story.tell(this.name, `gets ${taskId} (${attempt})`);
    const ticket = { task: taskId, attempt, token };
    const which = { agent: this.name, session, key, known, doubled, sent };
    sim.effects.push({ type: "delivery", at: sim.now, ...which, ...ticket, sentAt: "" });
  }

  async #answer(work: Work): Promise<HttpResult> {
    const life = this.#life;
    this.#temper.begin(work);
    const result = await this.#do(work);
    if (life !== this.#life || this.#temper.hasStopped(work)) return NEVER;
    this.#temper.end(work);
    const { taskId: task, attempt, token } = work;
    this.#own.end(task, token);
    const at = this.#sim.now;
    const status = typeof result === "string" ? "completed" : "failed";
    this.#sim.effects.push({ type: "answered", at, agent: this.name, task, attempt, token, status });
    return response(200, result === null ? { status, error: "no luck" } : { status: "completed", result });
  }

  /** What comes of a task, done once however often it is asked for and by whomever; null = it did not work. */
  async #do(work: Work): Promise<Made> {
    const sim = this.#sim;
    const { taskId, attempt, wantsText } = work;
    if (!sim.done.has(taskId)) {
      const life = this.#life;
      const slow = sim.fault("agent was slow", 0.1);
      const ms = slow ? sim.between(4_000, 20_000) : sim.between(5, 800);
      await this.effort.spend(work, ms, () => life !== this.#life || this.#temper.hasStopped(work));
      if (this.effort.isBroken || this.#temper.hasStopped(work)) return null;
      if (work.pays && !(await this.#cashier.pay(work))) return null;
      if (sim.fault("agent failed", 0.15)) return null;
      if (wantsText && sim.fault("agent misunderstood", 0.2)) return NO_TEXT;
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
    this.#temper.begin(work);
    const result = await this.#do(work);
    if (life !== this.#life || this.#temper.hasStopped(work)) return;
    this.#temper.end(work);
    this.#own.end(work.taskId, work.token);
    if (byResult) this.#settle(work, result);
    else this.#report(result === null ? "error" : "idle", { work, result });
    if (result === null && this.manner !== "posts") sim.later(300, () => this.#report("idle"));
  }

  /** Posts the result, now or too late, once or more often, until it is heard. */
  #settle(work: Work, result: Made): void {
    const { taskId, token } = work;
    const sim = this.#sim;
    const outcome: AttemptOutcome = result === null ? failed("agent_error", "result") : succeeded(result);
    let tries = 0;
    const post = async (): Promise<void> => {
      tries += 1;
      try {
        const { type } = await sim.call((store) => store.attempts.settle(taskId, token, outcome), true);
        // It may be at it once more, because it was sent once more; now everybody knows how it ended.
        this.#own.end(taskId);
        this.#heard(work, type, typeof result === "string", tries);
      } catch {
        sim.later(500, post);
      }
    };
    const times = sim.fault("result posted twice", 0.2) ? 2 : 1;
    // The second time at once, or when much else has happened.
    for (let i = 0; i < times; i += 1) sim.later(sim.between(0, i === 0 ? 50 : sim.pick([50, 9_000])), post);
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
    const report = reportOf(this, state, { work, result }, this.#clock() - back);
    // It says that it is free, or new: nothing is kept for it any more.
    const isFree = state !== "active" && state !== "error";
    const send = async (): Promise<void> => {
      if (isFree) this.#own.forget();
      await sim.call((store: Store) => store.agents.report(report)).catch(() => sim.later(500, send));
      if (isFree) this.#own.forget();
    };
    sim.later(sim.between(1, 120), send);
    if (sim.fault("report doubled", 0.05)) sim.later(sim.between(1, 2_000), send);
  }

  /** Its clock is not ours, and never says the same twice. */
  #clock(): number {
    this.#told += 1;
    return this.#sim.now * 1_000 + 7_777_777_777 + this.#told;
  }

  // --- asking for work ------------------------------------------------------------------------------------------------

  async #poll(): Promise<void> {
    const sim = this.#sim;
    const life = this.#life;
    const room = this.slots - this.#own.most(sim.clock.now());
    const { told } = await sim.call((store) => store.cancellations.tell(this.id)).catch(() => ({ told: [] }));
    for (const { taskId, token } of told) this.#temper.hear(taskId, token);
    const given = room > 0 ? await sim.call((store) => store.agents.claim(this.id, room)).catch(() => []) : [];
    if (room <= 0) await this.#extend();
    if (given.length > 0 && sim.fault("agent fell silent", 0.1)) {
      this.#fallSilent();
      return;
    }
    for (const attempt of given) {
      if (life !== this.#life || this.#received.has(attempt.token)) continue;
      this.#received.add(attempt.token);
      const { taskId: key, sessionId: session, timeoutAt, createdAt, parameters } = attempt;
      const work: Work = { ...attempt, ...wishesOf(JSON.parse(parameters) as JsonObject) };
      this.#note(work, { key, session, doubled: false, sent: sim.nextSent(), lasts: timeoutAt - createdAt });
      void this.#work(work);
      await this.#confirm(key, attempt.token);
    }
    sim.later(sim.between(200, 1_500), () => this.#poll());
  }

  /** It dies with work that it has not confirmed, and comes back without a word about it. */
  #fallSilent(): void {
    const sim = this.#sim;
    this.#die();
    this.#beSilent(sim.between(9_000, 22_000), () => this.#poll());
  }

  /** A sign of life of one that gives them by itself. */
  async #beat(): Promise<void> {
    const sim = this.#sim;
    if (sim.fault("agent fell silent", 0.05)) {
      this.#beSilent(sim.between(9_000, 16_000), () => this.#beat());
      return;
    }
    if (this.#own.most(sim.clock.now()) > 0) await this.#extend();
    else this.#report("idle");
    sim.later(3_000, () => this.#beat());
  }

  #beSilent(ms: number, then: () => unknown): void {
    this.#silentUntil = this.#sim.now + ms;
    this.#sim.story.tell(this.name, `says nothing for ${ms} ms`);
    this.#sim.later(ms, then);
  }

  /** It is at work, and says so of all that it was given and has not told the end of. */
  async #extend(): Promise<void> {
    for (const { task, token } of this.#sim.effects.filter((entry) => entry.type === "delivery").slice(-20)) {
      if (!this.#own.isAt(task)) continue;
      await this.#confirm(task, token);
    }
  }

  async #confirm(task: string, token: string): Promise<void> {
    await this.#sim
      .call((store) => store.attempts.extendLease(task, token))
      .catch((error: unknown) => this.#temper.hearRefusal(error, task, token));
  }

  // --- misbehaving ----------------------------------------------------------------------------------------------------

  async #misbehave(): Promise<void> {
    const sim = this.#sim;
    if (sim.healed) {
      // Whatever it has last said without cause, it takes back; else work might wait for it to the end of its time.
      if (this.#own.most(sim.clock.now()) === 0) this.#report("idle");
      sim.later(5_000, () => this.#misbehave());
      return;
    }
    if (sim.now < this.#silentUntil) {
      sim.later(3_000, () => this.#misbehave());
      return;
    }
    const word = () => sim.pick(["active", "idle", "error", "finished", "a word of its own"]);
    const deeds: readonly [string, () => unknown][] = [
      ["agent restarted", () => this.#restart()],
      ["agent left and came back", () => this.#leave()],
      ["report without cause", () => this.#report(word())],
      ["report dated back", () => this.#report("idle", { back: sim.between(1, 90) * 1_000_000 })],
      ["unknown task", () => sim.call((store) => store.attempts.settle("task_unknown", "1.no", succeeded()))],
      ["token made up", () => this.#impostor.makeUpToken()],
      ["told of again", () => (this.#register.isAnnounced ? this.#tellAgain() : this.#impostor.pretend())],
      ["unknown agent", () => this.#impostor.beNobody()],
    ];
    const [name, deed] = sim.pick(deeds);
    sim.count(name);
    await Promise.resolve(deed()).catch(() => undefined);
    sim.later(sim.between(2_000, 12_000), () => this.#misbehave());
  }

  /** AgentKit tells of it once more: as it was, after an upgrade, or because it has died and is there again. */
  async #tellAgain(): Promise<void> {
    const news = this.#sim.between(0, 2);
    if (news === 1) this.#version += 1;
    if (news === 2) this.#die();
    await this.register();
  }

  /** It dies and comes back, and says so in one way or another, or not at all. */
  async #restart(): Promise<void> {
    const sim = this.#sim;
    this.#die();
    sim.story.tell(this.name, "dies");
    await sim.sleep(sim.between(10, 3_000));
    sim.story.tell(this.name, "is back");
    if (sim.roll(0.4)) await this.register();
    else if (sim.roll(0.7)) {
      this.#report("initializing");
      if (sim.fault("agent started slowly", 0.5)) await sim.sleep(sim.between(1_000, 12_000));
    }
    this.#report("idle", { back: -1 });
  }

  #die(): void {
    this.#life += 1;
    this.#temper.forget();
    this.#own.forget();
  }

  /** It is taken off the register, with whatever it holds, and registers again. */
  async #leave(): Promise<void> {
    const sim = this.#sim;
    this.isAway = true;
    this.#register.forget();
    this.#own.forget();
    sim.story.tell(this.name, "leaves");
    await this.#impostor.leave();
    do await sim.sleep(sim.between(100, 3_000));
    while (
      !(await this.register().then(
        () => true,
        () => false,
      ))
    );
    this.isAway = false;
  }
}

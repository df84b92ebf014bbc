import type { JsonObject } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import { broken, response } from "../../packages/ops-core/src/engine/test-http.ts";
import { succeeded } from "../../packages/ops-core/src/store/suite/test-world.ts";
import { type Arrival, type Host, NEVER } from "./host.ts";
import { OwnSlots } from "./own-slots.ts";
import type { Simulation } from "./simulation.ts";

const TOOLS = ["tool0", "tool1"] as const;

/** A call as it reaches a tool. */
interface Call {
  readonly task: string;
  readonly attempt: number;
  readonly token: string;
}

/** What a tool said to a call, whether or not that arrived. */
export interface ToolAnswer extends Call {
  readonly tool: string;
  readonly status: number;
  readonly body: string;
}

/**
 * A tool behind a URL. It answers, late or never, with errors, with nothing, with what nobody can read and with what is
 * not wanted; breaks connections when all is done; and says that it is still at it when it is asked again. What it has
 * done under a key it does not do again.
 */
class SimulatedTool implements Host {
  readonly takesDoubles = true;
  readonly answers: ToolAnswer[] = [];
  readonly #sim: Simulation;
  readonly #name: string;
  readonly #own = new OwnSlots();
  readonly #known = new Set<string>();
  /** What it is at. */
  readonly #busy = new Set<string>();
  /** Tasks of which it has never said anything more, with the token of the call. */
  readonly #hung = new Map<string, string>();
  #slots = 0;
  /** By the clock of the platform. */
  #registeredAt = 0;
  #sickUntil = 0;

  constructor(sim: Simulation, name: string) {
    this.#sim = sim;
    this.#name = name;
  }

  async register(): Promise<void> {
    const sim = this.#sim;
    this.#slots = sim.between(1, 3);
    this.#registeredAt = sim.clock.now();
    const tool = sim.world.toolOf(this.#name, { maxConcurrency: this.#slots, registeredAt: this.#registeredAt });
    await this.#insist(() => sim.call((store) => store.tools.replace(tool)));
  }

  /** It is not called any more, and comes back; calls under way end as they do, and nobody counts them. */
  async leave(): Promise<void> {
    const sim = this.#sim;
    sim.story.tell(this.#name, "is removed");
    // Whether it was heard is not certain before it is answered.
    this.#slots = Number.POSITIVE_INFINITY;
    await this.#insist(() => sim.call((store) => store.tools.remove(this.#name)));
    await sim.sleep(sim.between(300, 4_000));
    this.#own.forget();
    this.#hung.clear();
    await this.register();
  }

  sicken(): void {
    this.#sickUntil = this.#sim.now + this.#sim.between(2_000, 9_000);
  }

  async #insist(ask: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await ask();
        return;
      } catch {
        await this.#sim.sleep(300);
      }
    }
  }

  async receive({ body, headers }: HttpPost, arrival: Arrival): Promise<HttpResult> {
    const sim = this.#sim;
    const task = String(headers?.["idempotency-key"]);
    const call: Call = {
      task,
      attempt: Number(headers?.["x-opspawn-attempt"]),
      token: String(headers?.["x-opspawn-token"]),
    };
    this.#note(call, arrival);
    if (sim.fault("token of a tool stolen", 0.06)) sim.later(sim.between(1, 500), () => this.#steal(call));
    const args = (JSON.parse(body) as { readonly arguments: JsonObject }).arguments;
    if (sim.fault("tool hung", 0.05)) {
      this.#hung.set(task, call.token);
      return NEVER;
    }
    if (this.#busy.has(task) && sim.roll(0.6)) return this.#say(call, sim.pick([409, 425]), "", false);
    const isSick = !sim.healed && sim.now < this.#sickUntil;
    if (sim.fault("tool refused", isSick ? 0.8 : 0.08)) {
      const status = sim.pick([500, 503, 429, 404]);
      return this.#say(call, isSick ? 500 : status, "", true);
    }
    return this.#answer(call, args.wants === "text");
  }

  #note({ task, attempt, token }: Call, { doubled, sent }: Arrival): void {
    const sim = this.#sim;
    const now = sim.clock.now();
    // What it was given under its slots of before is made again, whatever they are now.
    const sql = "select timeout_at - created_at as lasts from attempts where token = ? and created_at >= ?";
    // From a server that has died meanwhile it may still come.
    const [row] = sim.life.isAlive ? sim.look<{ lasts: number }>(sql, token, this.#registeredAt) : [];
    if (!doubled && !sim.done.has(task) && row !== undefined) this.#own.begin(task, token, now, row.lasts);
    if (sim.life.isAlive) this.#drain();
    const most = this.#own.most(now);
    if (most > this.#slots)
      sim.complaints.push(`${this.#name} takes ${this.#slots} calls and has ${most} with ${task}`);
    const known = this.#known.has(task);
    this.#known.add(task);
    sim.story.tell(this.#name, `is called for ${task} (${attempt})`);
    const which = { agent: this.#name, session: null, key: task, known, doubled, sent, sentAt: "" };
    sim.effects.push({ type: "delivery", at: sim.now, ...which, task, attempt, token });
  }

  /** A call that was given up keeps its slot for as long again as it was given, since nobody knows whether it goes on. */
  #drain(): void {
    const sql = `select ended_at as at, timeout_at - created_at as lasts from attempts
      where token = ? and status in ('cancelled', 'timed_out')`;
    for (const [task, token] of this.#hung) {
      const [ended] = this.#sim.look<{ at: number; lasts: number }>(sql, token);
      if (ended !== undefined) this.#own.drain(task, ended.at, ended.lasts);
    }
  }

  /** Somebody who saw the token says what came of it; nobody may, but the answer to the call. */
  async #steal({ task, token }: Call): Promise<void> {
    const sim = this.#sim;
    const said = await sim.call((store) => store.attempts.settle(task, token, succeeded("stolen"))).catch(() => null);
    if (said !== null) sim.complaints.push(`what a thief said of ${task} was ${said.type}`);
  }

  async #answer(call: Call, wantsText: boolean): Promise<HttpResult> {
    const sim = this.#sim;
    this.#busy.add(call.task);
    await sim.sleep(sim.fault("tool was slow", 0.12) ? sim.between(2_000, 14_000) : sim.between(5, 500));
    this.#busy.delete(call.task);
    if (!sim.done.has(call.task) && sim.fault("tool failed", 0.12))
      return this.#say(call, 200, '{"status":"error","error_message":"no luck"}', true);
    const made = this.#do(call, wantsText);
    if (sim.fault("tool cannot be read", 0.03)) return this.#say(call, 200, '{"half', true);
    const answer = this.#say(call, 200, made === null ? "" : JSON.stringify(made), true);
    return sim.fault("tool broke off", 0.05) ? broken() : answer;
  }

  /** Once per key, however often it is asked for. */
  #do({ task, attempt }: Call, wantsText: boolean): string | null {
    const sim = this.#sim;
    const known = sim.done.get(task);
    if (known !== undefined) return known === "" ? null : known;
    // An empty answer is a result of nothing, which is no text.
    const result = !wantsText && sim.roll(0.1) ? null : this.#name;
    sim.done.set(task, result ?? "");
    sim.story.tell(this.#name, `has done ${task} (${attempt})`);
    sim.effects.push({ type: "effect", at: sim.now, agent: this.#name, key: task, attempt, result });
    return result;
  }

  /** @param isEnd it is not at it any more */
  #say(call: Call, status: number, body: string, isEnd: boolean): HttpResult {
    const { task, token } = call;
    if (isEnd) {
      this.#own.end(task, token);
      this.#hung.delete(task);
    }
    this.answers.push({ ...call, tool: this.#name, status, body });
    this.#sim.story.tell(this.#name, `answers ${status} for ${task} (${call.attempt})`);
    return response(status, body, status === 503 ? { "retry-after": "1" } : {});
  }
}

/** The tools that steps call. */
export class Toolbox {
  readonly #sim: Simulation;
  readonly #tools: readonly SimulatedTool[];

  constructor(sim: Simulation) {
    this.#sim = sim;
    this.#tools = TOOLS.map((name) => new SimulatedTool(sim, name));
    for (const [i, tool] of this.#tools.entries()) sim.hosts.set(`${TOOLS[i]}.test`, tool);
  }

  /** What they have said. */
  get answers(): readonly ToolAnswer[] {
    return this.#tools.flatMap(({ answers }) => answers);
  }

  async begin(): Promise<void> {
    for (const tool of this.#tools) await tool.register();
    this.#sim.later(this.#sim.between(1_000, 8_000), () => this.#trouble());
  }

  async #trouble(): Promise<void> {
    const sim = this.#sim;
    if (sim.healed) return;
    const tool = sim.pick(this.#tools);
    if (sim.roll(0.4)) await tool.leave();
    else tool.sicken();
    sim.later(sim.between(3_000, 10_000), () => this.#trouble());
  }
}

/** A step may call a tool; null: an agent is to do it. In a world without tools nothing is drawn. */
export function randomTool(sim: Simulation): string | null {
  return sim.extras.tools && sim.roll(0.35) ? sim.pick(TOOLS) : null;
}

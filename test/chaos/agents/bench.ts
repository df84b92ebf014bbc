import { setTimeout as sleep } from "node:timers/promises";
import type { EffectEntry, Ticket } from "../../checker/entries.ts";
import type { Caller } from "../http-calls.ts";
import type { SyncedLog } from "../logs/synced-log.ts";
import { chanceOf, type Kind, type Result, resultOf } from "../workload.ts";
import type { Delivery } from "./delivery.ts";
import { Line, taskPath, tellsOfCancel } from "./line.ts";
import { Abandoned, Run, Stopped } from "./run.ts";
import { Words } from "./words.ts";

/** This share of what holds on says how far it is, and hears so that it was cancelled. */
const TALKATIVE = 0.3;
const SPEAKS_EVERY_MS = 400;

export interface BenchOptions {
  readonly kind: Kind;
  readonly log: SyncedLog;
  readonly server: Caller;
  /** Milliseconds the work takes. */
  readonly workMs: (delivery: Delivery) => number;
}

export type Outcome =
  | { readonly status: "completed"; readonly result: Result }
  | { readonly status: "failed"; readonly error: object };

const BROKEN: Outcome = {
  status: "failed",
  error: { code: "broken", message: "It broke in the middle.", retryable: true },
};

/** What is to be done besides taking time. */
export type Craft = (delivery: Delivery, stop: AbortSignal) => Promise<void>;

/**
 * What every agent does with its tasks, as docs/agents.md asks: remember the key, do the work once, say how it ended
 * until somebody has heard it, and stop when it is told to. Everything is on disk before it is acted upon.
 */
export class Bench {
  readonly #options: BenchOptions;
  readonly line: Line;
  readonly words: Words;
  /** Set before any work comes. */
  craft: Craft | null = null;
  readonly #runs = new Map<string, Run>();
  /** Tasks that were called off before they came. */
  readonly #calledOff = new Set<string>();
  readonly #reporting = new Set<string>();

  constructor(options: BenchOptions) {
    this.#options = options;
    this.line = new Line(options.server);
    const { kind, log } = options;
    this.words = new Words({ kind, log, line: this.line, callOff: (task) => this.#callOff(task) });
  }

  /** Records that a task came. */
  async note(delivery: Delivery): Promise<void> {
    const { task, attempt, token, key, session, sentAt, work } = delivery;
    const known = this.#runs.has(key);
    const limits = work.limits === undefined ? {} : { limits: work.limits };
    const ticket = { task, attempt, token, key, session, sentAt, known, ...limits };
    await this.#write({ type: "delivery", at: Date.now(), agent: this.#options.kind, ...ticket });
  }

  /** Does the work, or remembers having done it. @throws Stopped, Abandoned */
  async perform(delivery: Delivery): Promise<Result> {
    const { key, token } = delivery;
    const known = this.#runs.get(key);
    if (known !== undefined) {
      try {
        return await known.result;
      } catch (error) {
        const isAnother = known.delivery.token !== token;
        if (error instanceof Abandoned && isAnother) return this.perform(delivery);
        throw error;
      }
    }
    const run = new Run(delivery, (own) => this.#perform(own, this.#calledOff.has(key)));
    this.#runs.set(key, run);
    try {
      return await run.result;
    } catch (error) {
      if (error instanceof Abandoned) this.#runs.delete(key);
      throw error;
    }
  }

  /** Tells the outcome under the delivery's own token, again and again until it is accepted or refused. */
  async report(delivery: Delivery): Promise<void> {
    const { task, attempt, token, resultPath } = delivery;
    if (this.#reporting.has(token)) return;
    this.#reporting.add(token);
    const outcome = await this.outcome(delivery);
    if (outcome !== null) {
      const { answer, tries } = await this.line.say(resultPath, { token, ...outcome });
      const told = { task, attempt, token, status: answer.status, tries, outcome: outcome.status };
      await this.#write({ type: "reported", at: Date.now(), agent: this.#options.kind, ...told });
    }
    this.#reporting.delete(token);
  }

  /** What came of a delivery; null when nothing is to be said of it, or was said otherwise. */
  async outcome(delivery: Delivery): Promise<Outcome | null> {
    try {
      return { status: "completed", result: await this.perform(delivery) };
    } catch (error) {
      if (error instanceof Abandoned) return error.isSilent ? null : BROKEN;
      if (!(error instanceof Stopped)) throw error;
      if (this.#calledOff.has(delivery.key)) await this.words.notBegun(delivery);
      return null;
    }
  }

  /** Records an outcome that left as the answer to the delivery. */
  answered({ task, attempt, token }: Ticket, status: "completed" | "failed"): Promise<void> {
    return this.#write({ type: "answered", at: Date.now(), agent: this.#options.kind, task, attempt, token, status });
  }

  #callOff(task: string): Run | undefined {
    const run = this.#runs.get(task);
    if (run === undefined) this.#calledOff.add(task);
    return run;
  }

  async #perform(run: Run, isCalledOff: boolean): Promise<Result> {
    const { kind: agent } = this.#options;
    const { key, attempt, work } = run.delivery;
    if (isCalledOff) throw new Stopped();
    const { limits } = work;
    if (limits !== undefined) await this.#write({ type: "begun", at: Date.now(), agent, key, attempt, limits });
    try {
      await this.#toil(run);
    } catch (error) {
      await this.#write({ type: "stopped", at: Date.now(), agent, key, attempt });
      throw error;
    }
    const result = resultOf(agent, work);
    await this.#write({ type: "effect", at: Date.now(), agent, key, attempt, result });
    return result;
  }

  /** @throws Stopped, Abandoned */
  async #toil(run: Run): Promise<void> {
    const { delivery, stop, hurry } = run;
    const speaking = this.#speaks(delivery) ? setInterval(() => void this.#speak(delivery), SPEAKS_EVERY_MS) : null;
    try {
      const either = AbortSignal.any([stop.signal, hurry.signal]);
      await sleep(this.#options.workMs(delivery), undefined, { signal: either }).catch(() => undefined);
      if (stop.signal.aborted) throw new Stopped();
      await this.craft?.(delivery, stop.signal);
    } finally {
      if (speaking !== null) clearInterval(speaking);
    }
  }

  #speaks({ work, task }: Delivery): boolean {
    return work.holds === true && chanceOf(`talks ${task}`) < TALKATIVE;
  }

  async #speak(delivery: Delivery): Promise<void> {
    const body = { token: delivery.token, counter: Date.now() };
    const answer = await this.line.trySaying(taskPath(delivery, "progress"), body);
    if (tellsOfCancel(answer)) await this.words.heard(delivery);
  }

  #write(entry: EffectEntry): Promise<void> {
    return this.#options.log.append(entry);
  }
}

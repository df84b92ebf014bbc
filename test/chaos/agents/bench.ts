import { setTimeout as sleep } from "node:timers/promises";
import type { EffectEntry, Ticket } from "../../checker/entries.ts";
import { type Caller, isPassing, NoAnswer, pause } from "../http-calls.ts";
import type { SyncedLog } from "../logs/synced-log.ts";
import { type Kind, resultOf } from "../workload.ts";
import type { Delivery } from "./delivery.ts";

type Result = ReturnType<typeof resultOf>;

export interface BenchOptions {
  readonly kind: Kind;
  readonly log: SyncedLog;
  readonly server: Caller;
  /** Milliseconds the work takes. */
  readonly workMs: (delivery: Delivery) => number;
}

/**
 * What every agent does with its tasks, as docs/agents.md asks: remember the key, do the work once, say how it ended
 * until somebody has heard it. Everything is on disk before it is acted upon.
 */
export class Bench {
  readonly #options: BenchOptions;
  readonly #done = new Map<string, Promise<Result>>();
  readonly #reporting = new Set<string>();

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  /** Records that a task came. */
  async note(delivery: Delivery): Promise<void> {
    const { task, attempt, token, key, session, sentAt } = delivery;
    const known = this.#done.has(key);
    await this.#write({
      type: "delivery",
      at: Date.now(),
      agent: this.#options.kind,
      task,
      attempt,
      token,
      key,
      session,
      sentAt,
      known,
    });
  }

  /** Does the work, or remembers having done it. */
  perform(delivery: Delivery): Promise<Result> {
    const known = this.#done.get(delivery.key);
    if (known !== undefined) return known;
    const result = this.#perform(delivery);
    this.#done.set(delivery.key, result);
    return result;
  }

  /** Tells the outcome under the delivery's own token, again and again until it is accepted or refused. */
  async report(delivery: Delivery): Promise<void> {
    const { task, attempt, token, resultPath } = delivery;
    if (this.#reporting.has(token)) return;
    this.#reporting.add(token);
    const result = await this.perform(delivery);
    const body = { token, status: "completed", result };
    const { status, tries } = await this.#tell(resultPath, body);
    this.#reporting.delete(token);
    await this.#write({
      type: "reported",
      at: Date.now(),
      agent: this.#options.kind,
      task,
      attempt,
      token,
      status,
      tries,
    });
  }

  /** Records an outcome that left as the answer to the delivery. */
  answered({ task, attempt, token }: Ticket, status: "completed" | "failed"): Promise<void> {
    return this.#write({ type: "answered", at: Date.now(), agent: this.#options.kind, task, attempt, token, status });
  }

  async #perform(delivery: Delivery): Promise<Result> {
    const { kind, workMs } = this.#options;
    await sleep(workMs(delivery));
    const result = resultOf(kind, delivery.work);
    const { key, attempt } = delivery;
    await this.#write({ type: "effect", at: Date.now(), agent: kind, key, attempt, result });
    return result;
  }

  async #tell(path: string, body: object): Promise<{ status: number; tries: number }> {
    for (let tries = 1; ; tries += 1) {
      try {
        const { status } = await this.#options.server.send({ method: "POST", path, body });
        if (!isPassing(status)) return { status, tries };
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
      }
      await pause(tries);
    }
  }

  #write(entry: EffectEntry): Promise<void> {
    return this.#options.log.append(entry);
  }
}

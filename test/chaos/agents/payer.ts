import { setTimeout as sleep } from "node:timers/promises";
import type { EffectEntry } from "../../checker/entries.ts";
import type { SyncedLog } from "../logs/synced-log.ts";
import { chanceOf } from "../workload.ts";
import type { Bench } from "./bench.ts";
import type { Delivery } from "./delivery.ts";
import { taskPath, tellsOfCancel } from "./line.ts";
import { Abandoned, Stopped } from "./run.ts";

const EFFECT = "pay";
/** What goes wrong in these shares of the first attempts: it breaks before, it breaks after, it forgets to tell. */
const BREAKS_BEFORE = 0.12;
const BREAKS_AFTER = 0.26;
const FORGETS = 0.34;
/** This share of what breaks does so without a word; more would have the agent quarantined, and rightly. */
const SILENT = 0.1;
const UNLUCKY_ATTEMPTS = 2;

interface Announced {
  readonly idempotencyKey: string;
  readonly status: string;
  readonly again: boolean;
}

/** Where payments are made: each key once, however often it is asked. */
export interface Bank {
  has(key: string): boolean;
  add(key: string): void;
}

/** Pays as docs/effects.md asks: announces it, pays under the key it is given, and tells of it, unless it breaks first. */
export class Payer {
  readonly #bench: Bench;
  readonly #log: SyncedLog;
  readonly #bank: Bank;

  constructor(bench: Bench, log: SyncedLog, bank: Bank) {
    this.#bench = bench;
    this.#log = log;
    this.#bank = bank;
  }

  /** @throws Abandoned, Stopped */
  async pay(delivery: Delivery, stop: AbortSignal): Promise<void> {
    const { task, attempt } = delivery;
    const chance = attempt <= UNLUCKY_ATTEMPTS ? chanceOf(`luck ${task}/${attempt}`) : 1;
    const { idempotencyKey: key, status } = await this.#announce(delivery);
    if (status === "done") return;
    const isSilent = chanceOf(`silent ${task}`) < SILENT;
    if (chance < BREAKS_BEFORE) throw new Abandoned(isSilent);
    await sleep(30 + chanceOf(`pays ${task}`) * 250, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) throw new Stopped();
    const known = this.#bank.has(key);
    this.#bank.add(key);
    await this.#write({ type: "outside", at: Date.now(), agent: "payer", task, attempt, effect: EFFECT, key, known });
    if (chance < BREAKS_AFTER) throw new Abandoned(isSilent);
    await sleep(30 + chanceOf(`tells ${task}`) * 250);
    if (chance >= FORGETS) await this.#tell(delivery);
  }

  async #announce(delivery: Delivery): Promise<Announced> {
    const { task, attempt, token } = delivery;
    const { x, y } = delivery.work;
    const body = { token, effectId: EFFECT, kind: "payment", payload: { x, y } };
    const { answer } = await this.#bench.line.say(taskPath(delivery, "effects"), body);
    if (tellsOfCancel(answer)) void this.#bench.words.heard(delivery);
    // What was given to another is not paid for.
    if (answer.status !== 200) throw new Abandoned(true);
    const { idempotencyKey: key, status, again } = answer.body as unknown as Announced;
    const told = { task, attempt, effect: EFFECT, key, status, again };
    await this.#write({ type: "announced", at: Date.now(), agent: "payer", ...told });
    return { idempotencyKey: key, status, again };
  }

  async #tell(delivery: Delivery): Promise<void> {
    const { task, attempt, token } = delivery;
    const path = taskPath(delivery, `effects/${EFFECT}/receipt`);
    const { answer } = await this.#bench.line.say(path, { token, status: "done" });
    const told = { task, attempt, effect: EFFECT, status: answer.status };
    await this.#write({ type: "receipt", at: Date.now(), agent: "payer", ...told });
  }

  #write(entry: EffectEntry): Promise<void> {
    return this.#log.append(entry);
  }
}

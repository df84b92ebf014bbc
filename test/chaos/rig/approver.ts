import { setTimeout as sleep } from "node:timers/promises";
import type { EffectEntry } from "../../checker/entries.ts";
import { type Answer, type Call, type Caller, isPassing, NoAnswer } from "../http-calls.ts";
import { LogTail } from "../logs/read-log.ts";
import { resultOf, type Work } from "../workload.ts";
import { effectLog } from "./agent-processes.ts";

const EVERY_MS = 200;

interface Asked {
  readonly approvalId: string;
  readonly kind: "step" | "effect";
  readonly details: { readonly effects: readonly Doubtful[] } | null;
}

interface Doubtful {
  readonly idempotencyKey: string;
  readonly payload: Pick<Work, "x" | "y">;
}

/**
 * Somebody who says yes to whatever is to be done, and of what may have been done whether it was, as far as the log of the
 * payer says; twice, when the first answer was lost.
 */
export class Approver {
  readonly #server: Caller;
  readonly #payments: LogTail<EffectEntry>;
  readonly #paid = new Set<string>();
  #key = "";
  #isGone = false;
  #work: Promise<void> = Promise.resolve();

  constructor(server: Caller, folder: string) {
    this.#server = server;
    this.#payments = new LogTail<EffectEntry>(effectLog(folder, "payer"));
  }

  start(key: string): void {
    this.#key = key;
    this.#work = this.#approveAll();
  }

  async leave(): Promise<void> {
    this.#isGone = true;
    await this.#work;
  }

  async #approveAll(): Promise<void> {
    while (!this.#isGone) {
      const path = "/v1/opscore/approvals?status=pending&limit=100";
      const pending = (await this.#call({ method: "GET", path, key: this.#key }))?.body.items;
      const asked = (pending as readonly Asked[] | undefined) ?? [];
      for (const entry of this.#payments.read()) if (entry.type === "outside") this.#paid.add(entry.key);
      await Promise.all(asked.map((each) => this.#decide(each)));
      if (asked.length === 0) await sleep(EVERY_MS);
    }
  }

  async #decide({ approvalId: id, kind, details }: Asked): Promise<void> {
    const effect = kind === "effect" ? details?.effects[0] : undefined;
    const isTrue = effect === undefined || this.#paid.has(effect.idempotencyKey);
    const path = `/v1/opscore/approvals/${id}/${isTrue ? "approve" : "reject"}`;
    const body = effect !== undefined && isTrue ? { result: resultOf("payer", effect.payload) } : {};
    const answer = await this.#call({ method: "POST", path, key: this.#key, body });
    // A session that was cancelled asks no more.
    const isRight = answer === null || answer.status === 200 || answer.status === 409;
    if (!isRight) throw new Error(`approval ${id} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  /** Null when nothing came of it: it is tried again in the next round. */
  async #call(call: Call): Promise<Answer | null> {
    try {
      const answer = await this.#server.send(call);
      if (!isPassing(answer.status)) return answer;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
    await sleep(EVERY_MS);
    return null;
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Call, type Caller, isPassing, NoAnswer } from "../http-calls.ts";

const EVERY_MS = 200;

/** Somebody who says yes to whatever is asked; twice, when the first answer was lost. */
export class Approver {
  readonly #server: Caller;
  #key = "";
  #isGone = false;
  #work: Promise<void> = Promise.resolve();

  constructor(server: Caller) {
    this.#server = server;
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
      const ids = ((pending as { approvalId: string }[] | undefined) ?? []).map(({ approvalId }) => approvalId);
      await Promise.all(ids.map((id) => this.#approve(id)));
      if (ids.length === 0) await sleep(EVERY_MS);
    }
  }

  async #approve(id: string): Promise<void> {
    const call = { method: "POST", path: `/v1/opscore/approvals/${id}/approve`, key: this.#key, body: {} } as const;
    const answer = await this.#call(call);
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

import { type JsonObject, OpspawnError } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import { response } from "../../packages/ops-core/src/engine/test-http.ts";
import { NEVER } from "./host.ts";
import type { OwnSlots } from "./own-slots.ts";
import type { Simulation } from "./simulation.ts";
import type { Work } from "./work.ts";

/** What an agent does when it is told that a task is wanted no more. */
type Manners = "obeys" | "ignores" | "refuses" | "is deaf";
type Word = "acknowledged" | "stopped" | "refused";
type Attempt = Pick<Work, "taskId" | "attempt" | "token">;

/** How an agent takes it that work is cancelled, by whatever way it hears of it. */
export class Temper {
  /** It registers as one that takes cancel messages. */
  readonly takesMessages: boolean;
  readonly #sim: Simulation;
  readonly #name: string;
  readonly #own: OwnSlots;
  readonly #manners: Manners;
  /** By token: what it is at. */
  readonly #at = new Map<string, Attempt>();
  readonly #heard = new Set<string>();
  readonly #stopped = new Set<string>();

  constructor(sim: Simulation, name: string, own: OwnSlots, takesMessages: boolean) {
    this.#sim = sim;
    this.#name = name;
    this.#own = own;
    this.takesMessages = takesMessages;
    this.#manners = sim.pick(["obeys", "obeys", "obeys", "ignores", "refuses", "is deaf"]);
  }

  begin(work: Attempt): void {
    this.#at.set(work.token, work);
  }

  end({ token }: Attempt): void {
    this.#at.delete(token);
  }

  /** It has put this work down. */
  hasStopped({ token }: Attempt): boolean {
    return this.#stopped.has(token);
  }

  /** It died: nothing of what it was at goes on. */
  forget(): void {
    this.#at.clear();
  }

  /** Null when it is no cancel message. */
  receive({ body }: HttpPost): Promise<HttpResult> | null {
    const { messageType, opspawn } = JSON.parse(body) as JsonObject;
    if (messageType !== "cancel") return null;
    const attempt = opspawn as unknown as Attempt;
    this.#sim.count(`cancel message: an agent that ${this.#manners}`);
    if (this.#manners === "is deaf") return NEVER;
    if (this.#manners === "ignores") return Promise.resolve(response(200, { status: "success" }));
    const status = this.#manners === "refuses" ? "refused" : "acknowledged";
    const isHere = this.#at.has(attempt.token);
    this.#hear(attempt, true);
    if (!isHere) return Promise.resolve(response(200, { status: "unknown" }));
    this.#note(attempt, status, false);
    return Promise.resolve(response(200, { status }));
  }

  /** An answer to a call of its own tells it. */
  hear(taskId: string, token: string): void {
    if (this.#manners === "is deaf" || this.#manners === "ignores") return;
    this.#sim.count(`cancel answer: an agent that ${this.#manners}`);
    this.#hear({ taskId, attempt: Number.parseInt(token, 10), token }, false);
  }

  /** The refusal of a lease tells it. */
  hearRefusal(error: unknown, taskId: string, token: string): void {
    if (error instanceof OpspawnError && error.details?.cancellation !== undefined) this.hear(taskId, token);
  }

  #hear(attempt: Attempt, isAnswered: boolean): void {
    const sim = this.#sim;
    if (!this.#at.has(attempt.token) || this.#heard.has(attempt.token)) return;
    this.#heard.add(attempt.token);
    if (this.#manners === "refuses") {
      if (!isAnswered) void this.#say(attempt, "refused");
      return;
    }
    if (!isAnswered && sim.roll(0.5)) void this.#say(attempt, "acknowledged");
    // It takes a while to put something down; meanwhile it may be done.
    sim.later(sim.pick([0, 300, 6_000]), () => {
      if (!this.#at.has(attempt.token)) return;
      this.#stopped.add(attempt.token);
      this.#own.end(attempt.taskId);
      this.end(attempt);
      sim.story.tell(this.#name, `stops ${attempt.taskId} (${attempt.attempt})`);
      if (!sim.fault("stop not said", 0.15)) void this.#say(attempt, "stopped");
    });
  }

  async #say(attempt: Attempt, status: Word, tries = 0): Promise<void> {
    const sim = this.#sim;
    const { taskId, token } = attempt;
    this.#note(attempt, status, false);
    try {
      await sim.call((store) => store.cancellations.confirm(taskId, token, { status, note: null }), true);
      this.#note(attempt, status, true);
    } catch (error) {
      if (error instanceof OpspawnError && error.code !== "unavailable" && error.code !== "storage_full") {
        const isOdd = error.code !== "lease_lost" && error.code !== "internal";
        if (isOdd) sim.complaints.push(`${this.#name} said ${status} of ${taskId}, and was told ${error.code}`);
        return;
      }
      if (tries < 60) sim.later(300, () => this.#say(attempt, status, tries + 1));
    }
  }

  #note({ taskId: task, attempt, token }: Attempt, status: Word, isHeard: boolean): void {
    const at = this.#sim.now;
    this.#sim.effects.push({ type: "word", at, agent: this.#name, task, attempt, token, status, isHeard });
  }
}

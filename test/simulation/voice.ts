import { isJsonObject, type JsonObject, OpspawnError } from "@opspawn/contract";
import type { Approval } from "../../packages/ops-core/src/domain/approvals/approval.ts";
import { ASKING } from "./letters.ts";
import type { Simulation } from "./simulation.ts";

const REFUSALS = new Set(["session_terminal", "approval_decided", "approval_not_found", "signal_unknown"]);

/** A signal under a key. */
export interface Signalled {
  readonly session: string;
  readonly name: string;
  readonly payload: string;
  /** What came back, if anything did. */
  answer: "accepted" | "refused" | null;
}

/** A word about an approval. */
export interface Decided {
  readonly approval: string;
  readonly approved: boolean;
  readonly by: string;
  answer: "accepted" | "refused" | null;
}

/** What the client says to sessions that wait: signals, too early and twice, and decisions, both ways, late and twice. */
export class Voice {
  readonly signals: Signalled[] = [];
  readonly decisions: Decided[] = [];
  readonly #sim: Simulation;
  readonly #seen = new Set<string>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** Signals a session now and then, if it listens to anything. */
  accompany(session: string, document: JsonObject): void {
    const sim = this.#sim;
    const waits = (document.tasks as JsonObject[]).flatMap(({ wait }) => (isJsonObject(wait) ? [wait] : []));
    for (const { signal } of waits) {
      if (typeof signal !== "string" || sim.roll(0.25)) continue;
      const payload = JSON.stringify({ word: this.signals.length });
      const said: Signalled = { session, name: signal, payload, answer: null };
      this.signals.push(said);
      sim.later(sim.between(20, 9_000), () => this.#signal(said));
    }
  }

  /** Looks for what is to be decided, as long as there may be something. */
  async decide(): Promise<void> {
    const sim = this.#sim;
    const page = await sim
      .call((store) => store.approvals.list({ limit: 50 }, { status: "pending" }))
      .catch(() => ({ items: [] }));
    for (const approval of page.items) this.#consider(approval);
    sim.later(sim.between(300, 2_000), () => this.decide());
  }

  #consider({ id, workflowId }: Approval): void {
    const sim = this.#sim;
    if (workflowId === ASKING) return;
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    if (sim.roll(0.2)) return;
    this.#say({ approval: id, approved: sim.roll(0.6), by: "ann", answer: null });
    // Another one has a mind of his own.
    if (sim.roll(0.3)) this.#say({ approval: id, approved: sim.roll(0.5), by: "bob", answer: null });
  }

  #say(said: Decided): void {
    const sim = this.#sim;
    this.decisions.push(said);
    const { approval, approved, by } = said;
    const attempt = () =>
      this.#until(said, attempt, async () => {
        const { status, decidedBy } = await sim.call(
          (store) => store.approvals.decide(approval, { approved, by, comment: null }),
          true,
        );
        const right = approved ? "approved" : "rejected";
        if (status !== right || decidedBy !== by)
          sim.complaints.push(`approval ${approval} is ${status} by ${decidedBy}`);
      });
    sim.later(sim.roll(0.2) ? sim.between(4_000, 12_000) : sim.between(50, 3_000), attempt);
    if (sim.roll(0.2)) sim.later(sim.between(4_000, 14_000), attempt);
  }

  #signal(said: Signalled): Promise<void> {
    const sim = this.#sim;
    const { session: sessionId, name, payload } = said;
    const key = `signal ${payload}`;
    const idempotency = { actor: "client", operation: "signal", key, bodyHash: key };
    const again = said.answer === null && sim.fault("signalled again", 0.2);
    if (again) sim.later(sim.between(1, 3_000), () => this.#signal(said));
    return this.#until(
      said,
      () => this.#signal(said),
      async () => {
        await sim.call((store) => store.sessions.signal({ sessionId, name, payload, idempotency }), true);
        sim.story.tell("client", `signalled ${name} to ${sessionId}`);
      },
    );
  }

  /** Again and again until it is answered; what was accepted once may not be refused when it is said again. */
  async #until(said: Signalled | Decided, again: () => unknown, request: () => Promise<void>): Promise<void> {
    const sim = this.#sim;
    try {
      await request();
      if (said.answer === "refused") sim.complaints.push(`refused, and then accepted: ${JSON.stringify(said)}`);
      said.answer = "accepted";
    } catch (error) {
      const code = error instanceof OpspawnError ? error.code : "";
      if (!REFUSALS.has(code)) {
        this.#wait(code, again);
        return;
      }
      if (said.answer === "accepted") sim.complaints.push(`accepted, and then ${code}: ${JSON.stringify(said)}`);
      said.answer = "refused";
    }
  }

  /** Nobody knows it yet, or no answer came. */
  #wait(code: string, again: () => unknown): void {
    const sim = this.#sim;
    if (code !== "session_not_found") sim.later(300, again);
    else if (!sim.healed) sim.later(1_000, again);
  }
}

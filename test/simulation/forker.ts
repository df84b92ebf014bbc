import { type JsonObject, OpspawnError } from "@opspawn/contract";
import type { ForkSession } from "../../packages/ops-core/src/domain/sessions/session.ts";
import type { Idempotency } from "../../packages/ops-core/src/domain/store.ts";
import type { Simulation } from "./simulation.ts";

/** What cannot be gone on from; the same request a moment later may be right. */
const REFUSALS = ["session_open", "session_completed", "step_not_finished", "session_not_found"];
const OPEN = new Set(["started", "running", "waiting", "paused"]);
/** Sessions that are made from others, at most. */
const MOST = 14;

/** A session to be made from another one, under a key. */
export interface Forked {
  readonly key: string;
  readonly source: string;
  readonly asked: Pick<ForkSession, "from" | "input" | "parameters">;
  /** Whether its source had ended: what is refused before that may be right a moment later. */
  readonly isLate: boolean;
  /** Null until it is answered; `refused` when it cannot be. */
  answer: string | null;
}

interface Source {
  readonly id: string;
  readonly status: string;
  readonly workflow_id: string;
  readonly document: string;
  readonly input: string | null;
}

/**
 * Somebody who goes on from sessions that have ended, and asks for it too early: from where they failed, or from a step,
 * with other data. Now and then two do so with the same session at once, and what got no answer is asked for again.
 */
export class Forker {
  readonly forked: Forked[] = [];
  readonly #sim: Simulation;
  #owed = 0;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  get isContent(): boolean {
    return this.#owed === 0;
  }

  look(): void {
    const sim = this.#sim;
    if (sim.healed || this.forked.length >= MOST) return;
    const source = sim.life.serves ? this.#choose() : null;
    if (source !== null) {
      void this.#fork(source);
      if (sim.fault("forked by two", 0.3)) sim.later(sim.between(0, 40), () => this.#fork(source));
    }
    sim.later(sim.between(400, 2_500), () => this.look());
  }

  /** Any session; most of those that have ended, and many of those that undid what they had done. */
  #choose(): Source | null {
    const sim = this.#sim;
    const isUndone = sim.roll(0.3);
    const ended = sim.roll(0.85);
    const isSmall = sim.roll(0.1);
    const sources = sim.look<Source>(
      `select s.id, s.status, s.workflow_id, s.input, d.document from sessions s join definitions d on d.hash = s.plan_hash
        where (s.ended_at is not null) = ? and (s.workflow_id like 'flow%' or s.workflow_id like 'program%') <> ?
          and coalesce(s.undo_total, 0) >= ? order by s.created_at desc, s.id limit 12`,
      ended ? 1 : 0,
      isSmall ? 1 : 0,
      isUndone ? 1 : 0,
    );
    return sources.length === 0 ? null : sim.pick(sources);
  }

  async #fork(source: Source): Promise<void> {
    const sim = this.#sim;
    const key = `fork ${this.forked.length}`;
    const forked: Forked = {
      key,
      source: source.id,
      asked: this.#wish(source),
      isLate: !OPEN.has(source.status),
      answer: null,
    };
    this.forked.push(forked);
    this.#owed += 1;
    while (forked.answer === null) await this.#ask(forked);
    this.#owed -= 1;
    sim.story.tell("client", `went on from ${source.id} at ${forked.asked.from}: ${forked.answer}`);
    if (forked.answer !== "refused" && sim.fault("forked again", 0.3)) await this.#ask(forked);
  }

  #wish({ status, document, input, workflow_id: workflow }: Source): Forked["asked"] {
    const sim = this.#sim;
    if (status !== "completed" && sim.roll(0.5)) return { from: null };
    const { tasks } = JSON.parse(document) as { readonly tasks: readonly JsonObject[] };
    const reserves = new Set(tasks.map(({ fallback }) => (fallback as JsonObject | undefined)?.taskId));
    const steps = [...tasks.keys()].filter((index) => !reserves.has(tasks[index]?.taskId));
    const from = sim.pick(steps);
    const step = tasks[from] ?? {};
    if (!workflow.startsWith("flow")) return { from, ...(sim.roll(0.5) ? { input: withOther(input) } : {}) };
    // Where its own say what fits, others may not.
    const mayBeGiven = step.input === undefined && step.output === undefined;
    return { from, ...(mayBeGiven && sim.roll(0.5) ? { parameters: '{"given":"by hand"}' } : {}) };
  }

  async #ask(forked: Forked): Promise<void> {
    const sim = this.#sim;
    const { key, source: sourceId, asked } = forked;
    const at = sim.now;
    try {
      const { session, replayed } = await sim.call((store) => {
        const own = { ...asked, sessionId: sim.world.ids.uuid(), sourceId, labels: { call: key } };
        return store.sessions.fork(own, keyOf(key));
      }, forked.isLate);
      sim.client.push({ type: "asked", at, key, send: 1, n: 0 });
      sim.client.push({ type: "answered", at: sim.now, key, send: 1, status: 202, sessionId: session.id, replayed });
      if (forked.answer === "refused") sim.complaints.push(`${key} was refused, and then answered`);
      forked.answer = session.id;
    } catch (error) {
      if (error instanceof OpspawnError && REFUSALS.includes(error.code)) this.#refuse(forked, error.code);
      else await sim.sleep(300);
    }
  }

  #refuse(forked: Forked, code: string): void {
    if (forked.answer !== null) this.#sim.complaints.push(`${forked.key} was answered, and then ${code}`);
    forked.answer = "refused";
  }
}

/** Another number to go by. */
function withOther(input: string | null): string {
  const data = JSON.parse(input ?? "{}") as JsonObject;
  return JSON.stringify({ ...data, n: 4 - Number(data.n ?? 1) });
}

function keyOf(key: string): Idempotency {
  return { actor: "forker", operation: "fork", key, bodyHash: key };
}

import { ERRORS, type JsonObject, OpspawnError } from "@opspawn/contract";
import type { Approval } from "../../packages/ops-core/src/domain/approvals/approval.ts";
import { makeLink, openLink, useLink } from "../../packages/ops-core/src/domain/approvals/links.ts";
import { SECOND } from "../../packages/ops-core/src/domain/clock.ts";
import type { Actor } from "../../packages/ops-core/src/domain/context.ts";
import type { Ports } from "../../packages/ops-core/src/domain/ports.ts";
import type { Store } from "../../packages/ops-core/src/domain/store.ts";
import type { Simulation } from "./simulation.ts";
import type { Decided, Voice } from "./voice.ts";

const REMIND_EVERY = 60 * SECOND;
/** The workflow of those who are asked for so long that they must be reminded. */
export const ASKING = "asking";
/** ... and of those who are asked for a moment. */
const QUICK = "quick";
/** One of them is revoked while links that it made are on their way. */
const KEYS = ["lasting", "revoked"] as const;
const OVER = new Set(["approval_link_ended", "approval_decided"]);

/** A link on its way to somebody. */
interface Letter {
  readonly link: string;
  readonly token: string;
  readonly by: string;
}

/** A word that came by a link. */
export interface Used extends Decided {
  readonly link: string;
  /** By the server's clock, when it was refused; null when it was not, or nobody knows. Microseconds. */
  refusedAt: number | null;
  answer: Decided["answer"];
}

/**
 * Somebody who lets others decide by links, some of which do not last. Their readers look and decide, or forget; decide
 * twice and at once, otherwise than they may, too late, for somebody else, and of what they were not shown.
 */
export class Letters {
  readonly uses: Used[] = [];
  readonly #sim: Simulation;
  readonly #voice: Voice;
  readonly #seen = new Set<string>();
  #owed = 0;

  /** @param voice what is decided besides */
  constructor(sim: Simulation, voice: Voice) {
    this.#sim = sim;
    this.#voice = voice;
  }

  get isContent(): boolean {
    return this.#owed === 0;
  }

  async begin(): Promise<void> {
    const sim = this.#sim;
    for (let i = 0; i < 2; i += 1)
      sim.later(sim.between(500, 9_000), () => this.#startAsking(`${ASKING} ${i}`, ASKING));
    for (let i = 0; i < 8; i += 1) sim.later(sim.between(500, 32_000), () => this.#startAsking(`${QUICK} ${i}`, QUICK));
    for (const id of KEYS) await this.#key(id);
    sim.later(sim.between(3_000, 12_000), () => this.#insist((store) => store.keys.revoke("revoked")));
    await this.#look();
  }

  async #key(id: string): Promise<void> {
    await this.#insist(async (store) => {
      if ((await store.keys.get(id)) === null) await store.keys.create(this.#sim.world.key(id));
    });
  }

  /** A session that waits for a decision, and nothing else. */
  async #startAsking(key: string, id: string): Promise<void> {
    const sim = this.#sim;
    const isLong = id === ASKING;
    const patience = isLong ? { remindEvery: "60s", timeout: `${sim.between(100, 190)}s` } : { timeout: "9s" };
    const approval = { message: "Well?", ...patience };
    const tasks: JsonObject[] = [{ taskId: "ask", approval }];
    const document = {
      id: ASKING,
      name: ASKING,
      input: {},
      onFailure: "fail",
      deadline: "6m",
      tasks,
      output: "${{ steps.ask.result }}",
    };
    const idempotency = { actor: "asker", operation: "ask", key, bodyHash: key };
    const callbackUrl = "https://receiver.test/hook";
    const session = sim.world.session(document, { data: {}, labels: { call: key }, callbackUrl, idempotency });
    const at = sim.now;
    const begun = await this.#insist((store) => store.sessions.start({ ...session, startAt: sim.clock.now() }));
    sim.client.push({ type: "asked", at, key, send: 1, n: 0 });
    const told = { sessionId: begun.session.id, replayed: begun.replayed };
    sim.client.push({ type: "answered", at: sim.now, key, send: 1, status: 202, ...told });
  }

  /** Until it is answered. */
  async #insist<T>(ask: (store: Store) => Promise<T>): Promise<T> {
    this.#owed += 1;
    for (;;) {
      try {
        const answer = await this.#sim.call(ask, true);
        this.#owed -= 1;
        return answer;
      } catch {
        await this.#sim.sleep(300);
      }
    }
  }

  async #look(): Promise<void> {
    const sim = this.#sim;
    const ask = (store: Store) => store.approvals.list({ limit: 50 }, { status: "pending" });
    const { items } = await sim.call(ask).catch(() => ({ items: [] }));
    for (const approval of items) if (!this.#seen.has(approval.id)) this.#write(approval);
    this.#expectReminders();
    sim.later(sim.between(300, 1_500), () => this.#look());
  }

  /** What waits for long is looked at again before its next interval is over; that it is in time, others judge. */
  #expectReminders(): void {
    const sim = this.#sim;
    if (!sim.life.serves) return;
    const sql = `select a.id from approvals a join sessions s on s.id = a.session_id
      where s.workflow_id = ? and a.status = 'pending' and a.wake_at > ?`;
    for (const { id } of sim.look<{ id: string }>(sql, ASKING, sim.clock.now() + REMIND_EVERY))
      sim.complaints.push(`approval ${id} is not asked again in time`);
  }

  #write(approval: Approval): void {
    const sim = this.#sim;
    this.#seen.add(approval.id);
    const isLong = approval.workflowId === ASKING;
    const many = isLong ? 1 : sim.between(1, 2);
    for (let i = 0; i < many; i += 1) void this.#send(approval.id, isLong ? "lasting" : sim.pick(KEYS), isLong);
  }

  async #send(approvalId: string, keyId: string, isLong: boolean): Promise<void> {
    const sim = this.#sim;
    const lifetime = isLong ? 600 * SECOND : sim.pick([1, 3, 60]) * SECOND;
    const decision = isLong ? "any" : sim.pick(["any", "any", "approve", "reject"] as const);
    const request = { approvalId, decision, lifetime, recipient: "reader" };
    const made = await sim.call((store) => makeLink(this.#ports(store), actorOf(keyId), request)).catch(() => null);
    if (made === null) return;
    const { id: link } = made.link;
    const token = new URL(made.url).searchParams.get("token") ?? "";
    sim.story.tell("client", `was given ${link} for ${approvalId}`);
    const letter: Letter = { link, token, by: `link ${link} of ${keyId} for reader` };
    const read = (least: number, most: number) =>
      sim.later(sim.between(least, most), () => this.#read(letter, approvalId));
    if (isLong) read(20_000, 220_000);
    else if (sim.roll(0.8)) read(20, 5_000);
    if (sim.roll(0.4)) read(20, 5_000);
  }

  /** Looks at what is asked, thinks about it, and sends the form; once more when no answer comes. */
  async #read({ link, token, by }: Letter, approval: string): Promise<void> {
    const sim = this.#sim;
    const isForged = sim.fault("link forged", 0.1);
    const given = isForged ? `${token}0` : token;
    const opened = await sim.call((store) => openLink(this.#ports(store), link, given)).catch(() => null);
    if (isForged && opened !== null) sim.complaints.push(`${link} was opened by somebody who did not have it`);
    if (opened === null) return;
    await sim.sleep(sim.between(0, 1_500));
    const isBlind = sim.fault("link used for something else", 0.1);
    const subjectHash = isBlind ? "something else" : opened.approval.subjectHash;
    const said: Used = { link, approval, approved: sim.roll(0.6), by, answer: null, refusedAt: null };
    this.uses.push(said);
    this.#voice.decisions.push(said);
    const form = { approved: said.approved, comment: null, subjectHash };
    const use = (word: Used) => this.#use(word, (store) => useLink(this.#ports(store), opened, form));
    const isKnown = await use(said);
    if (isBlind && said.answer === "accepted")
      sim.complaints.push(`${link} decided about what its reader was not shown`);
    if (isKnown && !sim.fault("form sent twice", 0.3)) return;
    const again: Used = { ...said, answer: null };
    await sim.sleep(sim.between(1, 400));
    await use(again);
    if (isKnown && again.answer === "accepted") sim.complaints.push(`${link} was taken again`);
  }

  /** Whether an answer came that says what became of it. */
  async #use(said: Used, use: (store: Store) => Promise<Approval>): Promise<boolean> {
    const sim = this.#sim;
    try {
      await sim.call(use);
      said.answer = "accepted";
      return true;
    } catch (error) {
      if (!(error instanceof OpspawnError) || ERRORS[error.code].retryable) return false;
      said.answer = "refused";
      if (OVER.has(error.code)) said.refusedAt = sim.clock.now();
      return true;
    }
  }

  #ports(store: Store): Ports {
    const { clock, world } = this.#sim;
    return { store, clock, ids: world.ids, publicUrl: () => "http://us.test" } as Partial<Ports> as Ports;
  }
}

function actorOf(id: string): Actor {
  return { kind: "key", id, name: id, scopes: ["admin"], agentId: null, open: [] };
}

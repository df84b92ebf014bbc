import type { HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import { response } from "../../packages/ops-core/src/engine/test-http.ts";
import type { Simulation } from "./simulation.ts";

/** Whom a conversation is with: an agent, which may leave, or a receiver that stays. */
interface Partner {
  readonly id: string;
  readonly name: string;
}

interface Conversation {
  readonly aggregate: string;
  readonly partner: Partner | null;
  /** The number of the last message that was asked for, and of the last that arrived. */
  asked: number;
  arrived: number;
  /** The last one is not known to be stored yet. */
  isAsking: boolean;
}

/** Messages that must arrive in order, one conversation beside the other. */
export class Chat {
  readonly #sim: Simulation;
  readonly #conversations: readonly Conversation[];
  readonly #refused = new Set<string>();

  /** @param partners agents that do not tell outcomes by states: a message may make such a one report some */
  constructor(sim: Simulation, partners: readonly Partner[]) {
    this.#sim = sim;
    this.#conversations = [null, null, ...partners].map((partner, i) => {
      return { aggregate: `chat${i}`, partner, asked: 0, arrived: 0, isAsking: false };
    });
  }

  /** Everything that was to be sent is on its way. */
  get isContent(): boolean {
    return this.#conversations.every(({ isAsking }) => !isAsking);
  }

  talk(): void {
    const sim = this.#sim;
    if (sim.healed) return;
    void this.#say(sim.pick(this.#conversations));
    sim.later(sim.between(300, 2_500), () => this.talk());
  }

  async #say(conversation: Conversation): Promise<void> {
    const sim = this.#sim;
    const { aggregate, partner, isAsking } = conversation;
    if (isAsking) return;
    conversation.isAsking = true;
    conversation.asked += 1;
    const n = conversation.asked;
    const { ids } = sim.world;
    const key = `${aggregate}/${n}`;
    const url = partner === null ? "https://receiver.test/chat" : `http://${partner.name}.test/`;
    const message = { kind: "message", url, headers: {}, aggregate, sessionId: null } as const;
    const delivery = { ...message, agentId: partner?.id ?? null, body: JSON.stringify({ chat: aggregate, n }) };
    const idempotency = { actor: "client", operation: "say", key, bodyHash: key };
    const ask = async (): Promise<void> => {
      // Under another id each time, as a server gives it one: which counts, the first decides.
      const own = { ...delivery, id: `dlv_${ids.uuid()}` };
      await sim
        .call((store) => store.deliveries.enqueue(own, idempotency), true)
        .catch(async () => {
          await sim.sleep(300);
          await ask();
        });
    };
    await ask();
    conversation.isAsking = false;
  }

  /** Null when it is no message of a conversation. */
  receive(body: string, doubled: boolean): HttpResult | null {
    const { chat, n } = JSON.parse(body) as { readonly chat?: string; readonly n?: number };
    const conversation = this.#conversations.find(({ aggregate }) => aggregate === chat);
    if (conversation === undefined || n === undefined) return null;
    if (doubled) return response(200);
    const sim = this.#sim;
    const name = `${chat}/${n}`;
    if (!this.#refused.has(name) && sim.fault("message refused", 0.2)) {
      this.#refused.add(name);
      return response(503);
    }
    // The same again is right: nobody may have heard that it was taken. What an agent that left was to get is given up.
    const mayMiss = conversation.partner !== null;
    const isRight =
      n === conversation.arrived || n === conversation.arrived + 1 || (mayMiss && n > conversation.arrived);
    if (!isRight) sim.complaints.push(`message ${name} arrived after ${conversation.arrived}`);
    conversation.arrived = Math.max(conversation.arrived, n);
    return response(200);
  }

  /** What never arrived at somebody who was always there. */
  missing(): string[] {
    const stayed = this.#conversations.filter(({ partner, arrived, asked }) => partner === null && arrived < asked);
    return stayed.map(({ aggregate, arrived, asked }) => `of ${asked} messages of ${aggregate} ${arrived} arrived`);
  }
}

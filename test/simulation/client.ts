import { OpspawnError } from "@opspawn/contract";
import type { HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import type { Idempotency } from "../../packages/ops-core/src/domain/store.ts";
import { response } from "../../packages/ops-core/src/engine/test-http.ts";
import type { Arrival, Host } from "./host.ts";
import { programInput, randomProgram } from "./language.ts";
import { Pauser } from "./pauser.ts";
import type { Simulation } from "./simulation.ts";
import type { Voice } from "./voice.ts";
import { CAPABILITIES, randomWorkflow, taskRetry } from "./workflows.ts";

/** So many of its workflows use the whole language. */
const PROGRAMS = 0.3;
const RECEIVER = "https://receiver.test/hook";

interface Asked {
  readonly kind: "session" | "task";
  readonly id: string;
  answered: boolean;
}

/** A client that asks for work under keys, repeats what got no answer, changes its mind, and takes webhooks. */
export class Client implements Host {
  readonly asked: Asked[] = [];
  readonly isReliable = true;
  readonly #refused = new Set<string>();
  readonly #sim: Simulation;
  readonly #pauser: Pauser;
  readonly #voice: Voice;
  readonly #agents: readonly { readonly name: string; readonly id: string }[];

  /** @param agents that it knows of, and may want @param voice what it says to its sessions */
  constructor(sim: Simulation, agents: readonly { readonly name: string; readonly id: string }[], voice: Voice) {
    this.#sim = sim;
    this.#pauser = new Pauser(sim);
    this.#voice = voice;
    this.#agents = agents;
  }

  /** Takes messages, and webhooks, some at the second try; the third would be minutes later. */
  async receive({ body, headers }: HttpPost, { doubled }: Arrival): Promise<HttpResult> {
    const sim = this.#sim;
    const said = sim.chat.receive(body, doubled);
    if (said !== null) return said;
    const { id, type, data } = JSON.parse(body) as { id: string; type: string; data: { sessionId: string } };
    const refuses = !this.#refused.has(id) && sim.fault("webhook refused", 0.3);
    if (refuses) this.#refused.add(id);
    const status = refuses ? 503 : 200;
    const session = data.sessionId;
    const key = headers?.["webhook-id"] ?? id;
    sim.effects.push({ type: "webhook", at: sim.now, id: key, session, event: type, status });
    return response(status);
  }

  ask(): void {
    const sim = this.#sim;
    if (sim.healed) return;
    if (sim.roll(0.7)) this.#startSession();
    else this.#createTask();
    sim.later(sim.between(50, 1_500), () => this.ask());
  }

  /** All it has asked for is answered. */
  get isContent(): boolean {
    return this.#pauser.isContent && this.asked.every(({ answered }) => answered);
  }

  #startSession(): void {
    const sim = this.#sim;
    const { world } = sim;
    const sessionId = world.ids.uuid();
    const agentId = sim.roll(0.15) ? sim.pick(this.#agents).id : null;
    const names = this.#agents.map(({ name }) => name);
    const isProgram = sim.roll(PROGRAMS);
    const document = isProgram ? randomProgram(sim, agentId !== null) : randomWorkflow(sim, names, agentId !== null);
    const session = world.session(document, {
      ...(isProgram ? { data: programInput(sim) } : {}),
      sessionId,
      agentId,
      callbackUrl: sim.roll(0.5) ? RECEIVER : null,
      labels: { call: sessionId },
      idempotency: this.#key(sessionId),
    });
    const asked: Asked = { kind: "session", id: sessionId, answered: false };
    this.#repeat(asked, async () => {
      // The server makes an id of its own at each request; which one counts, the first decides.
      const own = asked.answered ? world.ids.uuid() : sessionId;
      const start = () => ({ ...session, sessionId: own, startAt: sim.clock.now() });
      const answer = await sim.call((store) => store.sessions.start(start()), true);
      return { id: answer.session.id, replayed: answer.replayed };
    });
    if (isProgram) this.#voice.accompany(sessionId, document);
    if (sim.roll(0.2)) sim.later(sim.pick([1_000, 2_000, 6_000]), () => this.#cancel(sessionId));
    this.#pauser.meetSometimes(sessionId);
  }

  #createTask(): void {
    const sim = this.#sim;
    const { world } = sim;
    const taskId = `task_${world.ids.uuid()}`;
    const task = world.newTask({
      taskId,
      idempotency: this.#key(taskId),
      requirement: { kind: "capability", capability: sim.pick(CAPABILITIES), preferred: null },
      retry: taskRetry(sim),
      ...(sim.roll(0.25) ? { parameters: '{"pays":true}' } : {}),
      priority: sim.between(-1, 1),
      ...(sim.roll(0.3) ? { silenceTimeout: sim.between(2, 5) * 1_000_000 } : {}),
      deadline: (sim.roll(0.3) ? sim.between(2, 8) : sim.between(20, 200)) * 1_000_000,
    });
    this.#repeat({ kind: "task", id: taskId, answered: false }, async () => {
      const answer = await sim.call((store) => store.tasks.create({ ...task, readyAt: sim.clock.now() }), true);
      if (answer.task.id !== taskId) sim.complaints.push(`${taskId} was asked for, ${answer.task.id} was made`);
      return null;
    });
    if (sim.roll(0.25)) {
      sim.later(sim.pick([500, 1_000, 5_000]), () =>
        sim.call((store) => store.tasks.cancel(taskId, "x")).catch(() => undefined),
      );
    }
  }

  /** Until it is answered: with the same key it is one request, however often it is made. */
  #repeat(asked: Asked, request: () => Promise<{ id: string; replayed: boolean } | null>): void {
    const sim = this.#sim;
    this.asked.push(asked);
    let send = 0;
    const attempt = async (): Promise<void> => {
      send += 1;
      this.#log(asked, { type: "asked", send, n: 0 });
      try {
        const answer = await request();
        asked.answered = true;
        this.#log(asked, {
          type: "answered",
          send,
          status: 202,
          sessionId: answer?.id ?? null,
          replayed: answer?.replayed ?? false,
        });
        if (sim.fault("asked again", 0.1)) sim.later(sim.between(1, 3_000), attempt);
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        this.#log(asked, { type: "unanswered", send, problem });
        sim.later(300, attempt);
      }
    };
    void attempt();
  }

  async #cancel(sessionId: string): Promise<void> {
    const sim = this.#sim;
    const entry = { at: sim.now, key: sessionId, sessionId };
    sim.client.push({ type: "cancelling", ...entry });
    try {
      await sim.call((store) => store.sessions.cancel(sessionId, "x"));
      sim.client.push({ type: "cancelled", ...entry, status: 200 });
      sim.story.tell("client", `cancelled ${sessionId}`);
    } catch (error) {
      const code = error instanceof OpspawnError ? error.code : null;
      if (code === "session_terminal") sim.client.push({ type: "cancelled", ...entry, status: 409 });
    }
  }

  /** Only of sessions: what a checker knows of calls are those that start one. */
  #log({ kind, id }: Asked, entry: DistributiveOmit<Parameters<Simulation["client"]["push"]>[0], "at" | "key">): void {
    const sim = this.#sim;
    if (kind === "session") sim.client.push({ at: sim.now, key: id, ...entry } as (typeof sim.client)[number]);
    sim.story.tell("client", `${entry.type} ${id}`);
  }

  #key(key: string): Idempotency {
    return { actor: "client", operation: "ask", key, bodyHash: key };
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

import { formatTime, type JsonObject, OpspawnError } from "@opspawn/contract";
import { SECOND } from "../../packages/ops-core/src/domain/clock.ts";
import type { Ports } from "../../packages/ops-core/src/domain/ports.ts";
import { backfill } from "../../packages/ops-core/src/domain/schedules/backfill.ts";
import type { NewSchedule, Overlap, Timing } from "../../packages/ops-core/src/domain/schedules/schedule.ts";
import type { Idempotency, Store } from "../../packages/ops-core/src/domain/store.ts";
import { saveWorkflow } from "./language.ts";
import type { Simulation } from "./simulation.ts";
import { CAPABILITIES } from "./workflows.ts";

/** How long a schedule has due times, by the server's clock. */
const LASTS = 30 * SECOND;

/** A trigger under a key. */
export interface Triggered {
  readonly schedule: string;
  readonly key: string;
  /** The number of the fire that it was answered with. */
  sequence: number | null;
}

/** A range that was fired anew, as far as it was answered. Microseconds. */
export interface Backfilled {
  readonly schedule: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Somebody who keeps schedules: pauses and resumes them, writes them anew as they are, starts them by hand, fires what is
 * past, and takes some of them away. What got no answer is asked for again.
 */
export class Timetable {
  readonly triggered: Triggered[] = [];
  readonly backfilled: Backfilled[] = [];
  readonly removed = new Set<string>();
  readonly #sim: Simulation;
  readonly #agents: readonly { readonly id: string }[];
  /** What is still to be answered, and schedules that are to be resumed. */
  #owed = 0;

  /** @param agents whom a schedule may want, by id; one that has left makes its fires fail */
  constructor(sim: Simulation, agents: readonly { readonly id: string }[]) {
    this.#sim = sim;
    this.#agents = agents;
  }

  /** All that it has asked for is answered, and nothing is paused. */
  get isContent(): boolean {
    return this.#owed === 0;
  }

  async keep(): Promise<void> {
    const sim = this.#sim;
    for (const errand of errands(sim)) await this.#until(() => saveWorkflow(sim, errand));
    for (let i = 0; i < 2; i += 1) sim.later(sim.between(100, 3_000), () => this.#create(i));
    // The server sleeps through some of what is due.
    for (const at of [9_000, 18_000]) sim.later(at, () => sim.stall(sim.between(4_000, 14_000)));
  }

  async #create(n: number): Promise<void> {
    const sim = this.#sim;
    const name = `schedule ${n}`;
    const schedule = this.#random(name);
    this.#owed += 1;
    const id = await this.#insist(async (store) => {
      const own = { ...schedule, id: `sch_${sim.world.ids.uuid()}` };
      return (await store.schedules.create(own, keyOf(name))).schedule.id;
    });
    this.#owed -= 1;
    if (id === null) return;
    sim.story.tell(
      "client",
      `has made ${id} (${JSON.stringify(schedule.timing)}, ${schedule.overlap}, ${schedule.catchUp})`,
    );
    this.#meddle(id, schedule);
  }

  #random(name: string): NewSchedule {
    const sim = this.#sim;
    const now = sim.clock.now();
    const isVisit = sim.roll(0.25);
    const overlap = sim.pick<Overlap>(["skip", "queue", "queue", "allow"]);
    return {
      id: "",
      name,
      workflowId: isVisit ? "visit" : "errand",
      workflowVersion: sim.roll(0.5) ? "1" : null,
      input: '{"n":1}',
      agentId: isVisit ? sim.pick(this.#agents).id : null,
      labels: { kept: "yes" },
      timing: this.#timing(now, overlap === "skip" ? 1 : 3),
      startAt: sim.roll(0.3) ? now + sim.between(500, 5_000) * 1_000 : null,
      endAt: now + LASTS,
      overlap,
      catchUp: sim.pick(["skip", "one", "one", "all", "all"]),
      catchUpWindow: sim.pick([1, 3, 20]) * SECOND,
      paused: false,
      note: null,
    };
  }

  /** @param least seconds between two due times */
  #timing(now: number, least: number): Timing {
    const sim = this.#sim;
    const seconds = sim.roll(0.3) ? sim.between(11, 14) : sim.between(least, least + 3);
    if (sim.roll(0.4)) return { kind: "cron", cron: `*/${seconds} * * * * *`, timeZone: "Europe/Berlin" };
    return {
      kind: "every",
      every: seconds * SECOND + sim.between(0, 999_999),
      anchor: now + sim.between(-20, 5) * SECOND,
    };
  }

  #meddle(id: string, schedule: NewSchedule): void {
    const sim = this.#sim;
    if (sim.healed || this.removed.has(id)) return;
    const deeds = [
      () => this.#pause(id),
      () => this.#trigger(id),
      () => this.#backfill(id),
      () => this.#backfill(id),
      () => this.#insist((store) => store.schedules.update(id, schedule)),
    ];
    void (sim.roll(0.015) ? this.#remove(id) : sim.pick(deeds)());
    sim.later(sim.between(800, 6_000), () => this.#meddle(id, schedule));
  }

  async #pause(id: string): Promise<void> {
    const sim = this.#sim;
    this.#owed += 1;
    await this.#try((store) => store.schedules.pause(id, sim.roll(0.5) ? "for a while" : null));
    await sim.sleep(sim.between(500, 7_000));
    await this.#insist((store) => store.schedules.resume(id));
    this.#owed -= 1;
  }

  async #trigger(schedule: string): Promise<void> {
    const sim = this.#sim;
    const said: Triggered = { schedule, key: `trigger ${this.triggered.length}`, sequence: null };
    this.triggered.push(said);
    this.#owed += 1;
    const again = sim.fault("triggered again", 0.3) ? 2 : 1;
    for (let i = 0; i < again; i += 1) {
      const sequence = await this.#insist(
        async (store) => {
          return (await store.schedules.trigger(schedule, keyOf(said.key))).fire.sequence;
        },
        ["agent_not_found"],
      );
      if (sequence === null) continue;
      if (said.sequence !== null && said.sequence !== sequence)
        sim.complaints.push(`${said.key} was fire ${said.sequence} of ${schedule}, and is ${sequence}`);
      said.sequence = sequence;
    }
    this.#owed -= 1;
  }

  /** Fires the past of a schedule; now and then two at once do. */
  async #backfill(id: string): Promise<void> {
    const sim = this.#sim;
    const schedule = await this.#try((store) => store.schedules.get(id));
    if (schedule == null) return;
    const now = sim.clock.now();
    const from = Math.max(schedule.createdAt - 8 * SECOND, now - sim.between(3, 25) * SECOND);
    const overlap = sim.pick<Overlap>(["skip", "queue", "allow"]);
    const body = { from: formatTime(from), to: formatTime(now), max: sim.between(2, 20), overlap, dryRun: false };
    const both = sim.fault("backfilled by two", 0.3);
    const fire = (store: Store) => backfill({ store, clock: sim.clock } as Ports, schedule, body);
    if (both) sim.later(sim.between(1, 60), () => this.#try(fire));
    const answer = await this.#try(fire);
    if (answer === undefined) return;
    const last = answer.items.at(-1);
    sim.story.tell("client", `fired ${answer.items.length} due times of ${id} anew, the last ${last?.outcome}`);
    if (answer.next === null) this.backfilled.push({ schedule: id, from, to: Math.min(now, schedule.nextAt ?? now) });
  }

  async #remove(id: string): Promise<void> {
    this.removed.add(id);
    this.#owed += 1;
    await this.#insist((store) => store.schedules.remove(id), ["schedule_not_found"]);
    this.#owed -= 1;
  }

  async #try<T>(ask: (store: Store) => Promise<T>): Promise<T | undefined> {
    return this.#sim.call(ask, true).catch(() => undefined);
  }

  /** What has been taken away answers nothing any more. @param ends codes that are an answer, too */
  #insist<T>(ask: (store: Store) => Promise<T>, ends: readonly string[] = []): Promise<T | null> {
    return this.#until(() => this.#sim.call(ask, true), ["schedule_not_found", ...ends]);
  }

  /** Again and again, until it is answered; null = with one of these codes. */
  async #until<T>(request: () => Promise<T>, ends: readonly string[] = []): Promise<T | null> {
    for (;;) {
      try {
        return await request();
      } catch (error) {
        if (error instanceof OpspawnError && ends.includes(error.code)) return null;
        await this.#sim.sleep(300);
      }
    }
  }
}

/** What is started again and again; most of it is done soon, some of it takes longer than until the next time. */
function errands(sim: Simulation): JsonObject[] {
  const retry = { maxAttempts: 2, initialDelay: "100ms", maxDelay: "1s" };
  const rest = { taskId: "rest", dependsOn: ["inner"], wait: { for: `${sim.between(100, 3_000)}ms` } };
  const common = { version: "1", onFailure: "fail", deadline: "9s", input: {} };
  const targets: readonly [string, JsonObject][] = [
    ["errand", { agentCapability: sim.pick(CAPABILITIES) }],
    ["visit", {}],
  ];
  return targets.map(([id, target]) => {
    const inner = { taskId: "inner", ...target, parameters: { step: "inner" }, retry };
    return { ...common, id, name: id, tasks: [inner, rest] };
  });
}

function keyOf(key: string): Idempotency {
  return { actor: "keeper", operation: "schedule", key, bodyHash: key };
}

import { type JsonObject, OpspawnError, operations } from "@opspawn/contract";
import type { InProcess, WorkflowPlan } from "@opspawn/ops-core/testing";
import { realClock } from "../clock.ts";
import { timelineOf } from "../timeline.ts";
import { Chance } from "../world/chance.ts";
import { drawFrom } from "../world/latency.ts";
import { World } from "../world/world.ts";
import type { Arrivals } from "./arrivals.ts";
import { Collector, type EndedSession } from "./collector.ts";
import { DescribedFleet, type Group } from "./described-fleet.ts";
import { Sample } from "./sample.ts";
import type { SimulationSpec } from "./spec.ts";

/** What is simulated. */
export interface SimulationInput {
  readonly document: JsonObject;
  readonly plan: WorkflowPlan;
  /** Workflows that its steps are. */
  readonly others: readonly { readonly document: JsonObject; readonly plan: WorkflowPlan }[];
  readonly spec: SimulationSpec;
  readonly sessions: number;
  readonly seed: number;
  readonly arrivals: Arrivals;
  /** Microseconds of its time after which it is given up. */
  readonly within: number;
}

/** How far it has come. */
export interface Progress {
  readonly started: number;
  readonly ended: number;
  /** Microseconds of its time. */
  readonly elapsed: number;
}

export type OnProgress = (progress: Progress) => void;

/** An end that is not a success, with one example of it. */
export interface BadEnd {
  readonly status: "failed" | "cancelled" | "uncertain" | "stuck" | "unfinished";
  readonly code: string;
  readonly message: string;
  /** The step that failed last; null when none did. */
  readonly step: string | null;
  count: number;
  /** The session that is told of. */
  readonly sessionId: string;
  /** Which session it was, counted from 1. */
  readonly number: number;
  readonly story: readonly string[];
}

type EndedBadly = Pick<BadEnd, "status" | "code" | "message">;

/** What happened while there was load. */
export interface Loaded {
  readonly time: number;
  /** From the first end on, which `completed` counts from too. */
  readonly ending: number;
  readonly completed: number;
  /** Time that hosts were at work together, by group. */
  readonly busy: ReadonlyMap<Group, number>;
}

/** Everything that came of it; times are microseconds. */
export interface Outcome {
  readonly started: number;
  readonly completed: number;
  readonly latency: Sample;
  readonly steps: Collector["steps"];
  readonly groups: readonly Group[];
  readonly badEnds: readonly BadEnd[];
  /** From the first start to the last end. */
  readonly span: number;
  /** The time in which the load was there, as long as sessions arrived: what comes after it is no load any more. */
  readonly loaded: Loaded;
  readonly crashes: number;
  /** Milliseconds of real time. */
  readonly took: number;
}

const START = Date.UTC(2026, 0, 1) * 1_000;
const EVENTS_AT_ONCE = 1_000;
/** Sessions that are started at one moment before anything else happens. */
const STARTED_AT_ONCE = 100;
const FORGOTTEN_AT_ONCE = 250;
const BAD_ENDS_MAX = 12;
const STORY_MAX = 40;
/** Microseconds between two looks at why work waits; they grow rarer as time goes on. */
const FIRST_LOOK = 1_000_000;
const LOOKS_PER_PACE = 500;
const TRY_AGAIN = 1_000_000;
const TELL_EVERY = 500;
/** The part of all sessions that must have ended when the last one arrives, for what happened by then to be typical. */
const ENDED_ENOUGH = 0.3;

/** One run of a workflow under load: the engine of production, agents as they were described, and virtual time. */
export class Simulation {
  readonly #input: SimulationInput;
  readonly #world: World;
  readonly #collector: Collector;
  #groups: readonly Group[] = [];
  readonly #latency = new Sample();
  readonly #badEnds = new Map<string, BadEnd>();
  readonly #numbers = new Map<string, number>();
  readonly #arrivalChance: Chance;
  readonly #peopleChance: Chance;
  readonly #faultChance: Chance;
  #position = 0;
  /** The process that was looked at last, and how much it had to tell. */
  #seen: { readonly process: InProcess; readonly news: number } | null = null;
  #started = 0;
  #completed = 0;
  #ended = 0;
  #firstEnd: number | null = null;
  #lastEnd = START;
  #loaded: Loaded | null = null;
  /** Ended, and still in the store. */
  #forgettable: string[] = [];
  /** Bad ends whose story is still to be read. */
  #stories: { readonly ended: EndedSession; readonly status: BadEnd["status"] }[] = [];
  #lookAt = START;
  #looks = 0;

  private constructor(input: SimulationInput, world: World) {
    this.#input = input;
    this.#world = world;
    this.#arrivalChance = Chance.of(input.seed, "arrivals");
    this.#peopleChance = Chance.of(input.seed, "people");
    this.#faultChance = Chance.of(input.seed, "faults");
    this.#collector = new Collector(input.plan.id, (ended, all) => this.#noteEnd(ended, all));
  }

  /** @throws OpspawnError as the server refuses the workflow or an input */
  static async run(input: SimulationInput, onProgress: OnProgress = () => undefined): Promise<Outcome> {
    const began = realClock.now();
    const world = await World.start({ seed: input.seed, start: START });
    try {
      const simulation = new Simulation(input, world);
      await simulation.#prepare();
      await simulation.#toTheEnd(onProgress);
      return simulation.#outcome(realClock.now() - began);
    } finally {
      world.close();
    }
  }

  async #prepare(): Promise<void> {
    const { spec, others, document } = this.#input;
    for (const each of [...others.map((other) => other.document), document]) {
      await this.#world.call(operations.workflows.apply, { body: { definition: each } });
    }
    const plans = [this.#input.plan, ...others.map(({ plan }) => plan)];
    const tellsTwice = (): boolean => this.#faultChance.roll(spec.faults.duplicates);
    this.#groups = await new DescribedFleet(this.#world, spec, plans, tellsTwice).arrive();
    this.#world.network.losesAnswer = () => this.#faultChance.roll(spec.faults.lostAnswers);
    this.#planCrash();
    this.#planArrival();
  }

  // --- what comes from outside ----------------------------------------------------------------------------------------

  #planArrival(): void {
    const { arrivals, sessions } = this.#input;
    if (this.#started >= sessions) return;
    const isRest = arrivals.rate === null && this.#started % STARTED_AT_ONCE !== 0;
    if (isRest) {
      this.#arrive();
      return;
    }
    this.#world.time.after(arrivals.next(this.#arrivalChance), () => this.#arrive());
  }

  #arrive(): void {
    this.#started += 1;
    this.#start(this.#started);
    const { arrivals, sessions } = this.#input;
    const isLast = this.#started === sessions && arrivals.rate !== null;
    // So few that ended by then say nothing of a rate.
    if (isLast && this.#ended > sessions * ENDED_ENOUGH) this.#loaded = this.#load();
    this.#planArrival();
  }

  /** Asks again under the same key while the server does not answer. */
  #start(number: number): void {
    const { input } = this.#input.spec;
    const body = { workflowId: this.#input.plan.id, ...(input === undefined ? {} : { input }) };
    // Only a server that dies leaves a client in doubt.
    const key = this.#input.spec.faults.crashes === undefined ? undefined : `session-${number}`;
    const ask = async (): Promise<void> => {
      try {
        const { sessionId } = await this.#world.tell(operations.sessions.start, { body }, key);
        this.#numbers.set(sessionId, number);
        this.#sendSignals(sessionId);
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#world.time.after(TRY_AGAIN, () => this.#do(ask));
      }
    };
    this.#do(ask);
  }

  #sendSignals(sessionId: string): void {
    for (const [name, { after, payload, never }] of Object.entries(this.#input.spec.signals)) {
      if (this.#peopleChance.roll(never)) continue;
      const send = async (): Promise<void> => {
        const request = { params: { sessionId, name }, body: { payload } };
        await this.#untilAnswered(() => this.#world.tell(operations.sessions.signal, request, `${sessionId}/${name}`));
      };
      this.#world.time.after(drawFrom(after)(this.#peopleChance), () => this.#do(send));
    }
  }

  #decide(approvalId: string, stepId: string): void {
    const { approvals } = this.#input.spec;
    const described = approvals[stepId] ?? approvals.default;
    if (described === undefined || this.#peopleChance.roll(described.never)) return;
    const operation = this.#peopleChance.roll(described.approve)
      ? operations.approvals.approve
      : operations.approvals.reject;
    const decide = () => this.#untilAnswered(() => this.#world.tell(operation, { params: { approvalId } }));
    this.#world.time.after(drawFrom(described.after)(this.#peopleChance), () => this.#do(decide));
  }

  /** Asks again while the server is away; that it comes too late is no fault of anybody's. */
  async #untilAnswered(ask: () => Promise<unknown>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (isPassing(error)) this.#world.time.after(TRY_AGAIN, () => this.#do(() => this.#untilAnswered(ask)));
    }
  }

  #do(work: () => Promise<void>): void {
    void this.#world.busy(work).catch((error: Error) => this.#world.complain(error));
  }

  #planCrash(): void {
    const { crashes } = this.#input.spec.faults;
    if (crashes === undefined) return;
    this.#world.downFor = crashes.down;
    this.#world.time.after(this.#faultChance.exponential(crashes.every), () => {
      if (this.#collector.open.length > 0 || this.#started < this.#input.sessions) {
        this.#world.crashSomewhere(this.#faultChance);
        this.#planCrash();
      }
    });
  }

  // --- the run --------------------------------------------------------------------------------------------------------

  async #toTheEnd(onProgress: OnProgress): Promise<void> {
    const { sessions, within } = this.#input;
    const end = START + within;
    for (let told = 0; this.#ended < sessions; ) {
      const goesOn = await this.#world.step(end);
      await this.#observe();
      if (!goesOn) break;
      if (this.#ended - told >= TELL_EVERY) {
        told = this.#ended;
        onProgress({ started: this.#started, ended: this.#ended, elapsed: this.#world.now - START });
      }
    }
    await this.#tellOfOpen();
  }

  /** Reads what has happened since it was looked last. */
  async #observe(): Promise<void> {
    const { process } = this.#world;
    if (process === null || (process === this.#seen?.process && process.news === this.#seen.news)) return;
    this.#seen = { process, news: process.news };
    for (;;) {
      const events = await process.events(this.#position, EVENTS_AT_ONCE);
      for (const event of events) {
        this.#position = event.position;
        this.#collector.observe(event);
        if (event.type === "approval.requested") this.#decide(String(event.data.approvalId), String(event.data.stepId));
      }
      if (events.length < EVENTS_AT_ONCE) break;
    }
    await this.#tellStories();
    if (this.#world.now >= this.#lookAt) await this.#lookAtWaiting();
    if (this.#forgettable.length < FORGOTTEN_AT_ONCE) return;
    const forgettable = this.#forgettable;
    this.#forgettable = [];
    this.#do(async () => {
      // A server that dies over it forgets nothing, and what is kept costs memory only.
      this.#forgettable.push(...(await process.forget(forgettable).catch(() => [])));
    });
  }

  #noteEnd(ended: EndedSession, all: readonly string[]): void {
    this.#ended += 1;
    this.#firstEnd ??= this.#world.now;
    this.#lastEnd = this.#world.now;
    this.#latency.add(ended.latency);
    this.#forgettable.push(...all);
    if (ended.isUncertain) this.#stories.push({ ended, status: "uncertain" });
    else if (ended.status === "completed") this.#completed += 1;
    else this.#stories.push({ ended, status: ended.status });
    if (!ended.isUncertain && ended.status === "completed") this.#numbers.delete(ended.id);
  }

  async #tellStories(): Promise<void> {
    const stories = this.#stories;
    this.#stories = [];
    for (const { ended, status } of stories) {
      const code = String(ended.error?.code ?? status);
      await this.#noteBadEnd({ status, code, message: String(ended.error?.message ?? "") }, ended.id);
    }
  }

  async #noteBadEnd(what: EndedBadly, sessionId: string): Promise<void> {
    const key = `${what.status} ${what.code}`;
    const known = this.#badEnds.get(key);
    if (known !== undefined) known.count += 1;
    const number = this.#numbers.get(sessionId) ?? 0;
    this.#numbers.delete(sessionId);
    if (known !== undefined || this.#badEnds.size >= BAD_ENDS_MAX) return;
    const events = (await this.#world.process?.events(0, EVENTS_AT_ONCE, sessionId)) ?? [];
    const lines = timelineOf(events, events[0]?.at ?? START);
    const story = lines.length <= STORY_MAX ? lines : [...lines.slice(0, 8), "...", ...lines.slice(8 - STORY_MAX)];
    const failed = events.findLast(({ type }) => type === "task.failed" || type === "step.failed")?.data.stepId;
    const step = typeof failed === "string" ? failed : null;
    this.#badEnds.set(key, { ...what, step, count: 1, sessionId, number, story });
  }

  /** Asks the server why the oldest task of each step waits, for all that wait with it. */
  async #lookAtWaiting(): Promise<void> {
    const { process } = this.#world;
    const pace = FIRST_LOOK * 2 ** Math.floor(this.#looks / LOOKS_PER_PACE);
    this.#looks += 1;
    this.#lookAt = this.#world.now + pace;
    for (const [figures, tasks] of this.#collector.waiting) {
      const [oldest] = tasks;
      if (oldest === undefined) continue;
      const reason = (await process?.whyTask(oldest)) ?? "other";
      figures.reasons.set(reason, (figures.reasons.get(reason) ?? 0) + tasks.size * pace);
    }
  }

  /** Whatever is open now stays open. */
  async #tellOfOpen(): Promise<void> {
    const { process } = this.#world;
    const isStuck = process?.outlook().next === null;
    for (const sessionId of this.#collector.open) {
      const status = isStuck ? "stuck" : "unfinished";
      const why = await process?.call(operations.sessions.why, { params: { sessionId } }, this.#world.operator);
      const message = why?.explanation.at(-1) ?? "";
      await this.#noteBadEnd({ status, code: why?.blocked?.reason ?? why?.status ?? status, message }, sessionId);
    }
  }

  #load(): Loaded {
    const busyOf = ({ hosts }: Group): number => hosts.reduce((sum, { meter }) => sum + meter.total, 0);
    const now = this.#loaded === null && this.#ended === this.#input.sessions ? this.#lastEnd : this.#world.now;
    return {
      time: now - START,
      ending: now - (this.#input.arrivals.rate === null ? START : (this.#firstEnd ?? START)),
      completed: this.#completed,
      busy: new Map(this.#groups.map((group) => [group, busyOf(group)])),
    };
  }

  #outcome(took: number): Outcome {
    return {
      started: this.#started,
      completed: this.#completed,
      latency: this.#latency,
      steps: this.#collector.steps,
      groups: this.#groups,
      badEnds: [...this.#badEnds.values()].sort((a, b) => b.count - a.count),
      span: this.#lastEnd - START,
      loaded: this.#loaded ?? this.#load(),
      crashes: this.#world.crashes,
      took,
    };
  }
}

/** The server is away, or died over the question: it is asked again. */
function isPassing(error: unknown): boolean {
  return error instanceof OpspawnError && ["unavailable", "overloaded", "shutting_down"].includes(error.code);
}

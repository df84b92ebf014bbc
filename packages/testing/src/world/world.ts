import { type Operation, type OperationOutput, OpspawnError } from "@opspawn/contract";
import {
  type Actor,
  type FailpointName,
  InProcess,
  type Log,
  type LogFields,
  MemoryData,
  type Outlook,
  type Request,
} from "@opspawn/ops-core/testing";
import { realClock, turn } from "../clock.ts";
import { Chance, CountedIds } from "./chance.ts";
import { Network } from "./network.ts";
import { VirtualTime } from "./virtual-time.ts";

/** May do everything. */
const OPERATOR: Actor = { kind: "key", id: "operator", name: "operator", scopes: ["admin"], agentId: null, open: [] };

/** Milliseconds of real time that agents' own code may take before it is thought to hang. */
const PATIENCE = 10_000;

/** Where it hurts most to die; null is anywhere. */
const POINTS: readonly (FailpointName | null)[] = [
  null,
  "store.before-next-step",
  "store.before-commit",
  "store.after-commit",
  "engine.before-send",
  "engine.after-send",
];

/** One life of the server's process. */
interface Life {
  isAlive: boolean;
  readonly process: InProcess;
}

export interface WorldOptions {
  readonly seed: number;
  /** Microseconds since the epoch. */
  readonly start: number;
  /** Take every look of the server's loops, those too that find nothing. Default: false. */
  readonly allLooks?: boolean;
}

/**
 * The server in a world of its own: time that goes on when it is told to, chance made of a seed, agents that are reached
 * without a network, data in memory. Nothing in it waits for real time, so that the same seed tells the same story.
 */
export class World {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly network: Network;
  /** Microseconds the server stays away when it was killed at an armed point. */
  downFor = 1_000_000;
  /** How often it was killed. */
  crashes = 0;
  readonly #data = new MemoryData();
  readonly #ids: CountedIds;
  readonly #allLooks: boolean;
  #life: Life | null = null;
  /** Things that go on without time passing, such as the code of an agent. */
  #working = 0;
  #armed: FailpointName | null = null;
  #outlook: { readonly transitions: number; readonly outlook: Outlook } | null = null;
  /** Something is wrong that no script explains; told by the next who runs this world. */
  readonly #problems: Error[] = [];
  #isClosed = false;

  private constructor({ seed, start, allLooks = false }: WorldOptions) {
    this.seed = seed;
    this.#allLooks = allLooks;
    this.time = new VirtualTime(start);
    this.network = new Network(this.time);
    this.#ids = new CountedIds(Chance.of(seed, "server"));
  }

  static async start(options: WorldOptions): Promise<World> {
    const world = new World(options);
    await world.#boot();
    return world;
  }

  /** May do everything. */
  readonly operator = OPERATOR;

  /** Microseconds since the epoch. */
  get now(): number {
    return this.time.now();
  }

  /** The server that runs; null while none does. */
  get process(): InProcess | null {
    return this.#life?.isAlive === true ? this.#life.process : null;
  }

  /** Something goes on for which no time has to pass, until it is over. */
  async busy<T>(work: () => Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      return await work();
    } finally {
      this.#working -= 1;
    }
  }

  /** Waits for time to pass, within `busy`. */
  async sleep(micros: number): Promise<void> {
    this.#working -= 1;
    await new Promise<void>((resolve) => {
      this.time.after(micros, () => {
        this.#working += 1;
        resolve();
      });
    });
  }

  /** The next who runs this world is told. */
  complain(problem: Error): void {
    this.#problems.push(problem);
  }

  /** As `call`, from somebody of this world, who does not make it go on. */
  async tell<Op extends Operation>(operation: Op, request: Request<Op>, key?: string): Promise<OperationOutput<Op>> {
    const life = this.#life;
    if (life?.isAlive !== true) throw new OpspawnError("unavailable", "The server is down.");
    const answer = await life.process.call(operation, request, OPERATOR, key);
    // Whatever a dead process still has to say, nobody hears.
    if (!life.isAlive) throw new OpspawnError("unavailable", "The server died over the request.");
    return answer;
  }

  /** Does what a request to the server would do. @throws OpspawnError as it would be refused */
  async call<Op extends Operation>(
    operation: Op,
    request: Request<Op>,
    { actor = OPERATOR, key }: { readonly actor?: Actor; readonly key?: string } = {},
  ): Promise<OperationOutput<Op>> {
    const { process } = this;
    if (process === null) throw new OpspawnError("unavailable", "The server is down.");
    const answer = process.call(operation, request, actor, key);
    answer.catch(() => undefined);
    await this.settle();
    return answer;
  }

  /** Lets everything happen for which no time has to pass. */
  async settle(): Promise<void> {
    const began = realClock.now();
    for (let turns = 0; ; turns += 1) {
      await turn();
      if (this.#working <= 0 && this.process?.isBusy !== true) break;
      if (turns % 1_000 === 999 && realClock.now() - began > PATIENCE) throw hanging();
    }
    const problem = this.#problems.shift();
    if (problem !== undefined) throw problem;
  }

  /**
   * On to the next thing that happens, at the latest to `end` (microseconds since the epoch).
   * @returns false when nothing happens by then; without an end, when nothing will ever happen by itself
   */
  async step(end = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (this.#isClosed) throw new Error("The platform is closed.");
    const next = this.#nextMoment(end);
    if (next === null || next > end) {
      if (Number.isFinite(end)) this.time.moveTo(end);
      return false;
    }
    this.time.moveTo(next);
    await this.settle();
    if (this.#life !== null && !this.#life.isAlive) this.#restartIn(this.downFor);
    return true;
  }

  /** Runs until a moment. */
  async runUntil(end: number): Promise<void> {
    while (await this.step(end));
    await this.settle();
  }

  /** The server's process dies now, and another one goes on with its data after a while. Nothing, while it is down. */
  crash(downFor: number): void {
    if (this.process === null) return;
    this.#kill();
    this.#restartIn(downFor);
  }

  /** The server dies now, or the next time it comes to a point where that hurts. */
  crashSomewhere(chance: Chance): void {
    const point = POINTS[chance.below(POINTS.length)] ?? null;
    if (point === null) this.crash(this.downFor);
    else this.#armed = point;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#kill();
    this.#life = null;
    this.#data.close();
  }

  #kill(): void {
    if (this.#life?.isAlive !== true) return;
    this.#life.isAlive = false;
    this.#data.cutOff();
    this.time.dropPolls();
    this.crashes += 1;
  }

  #restartIn(downFor: number): void {
    this.#life = null;
    this.time.after(downFor, () => void this.busy(() => this.#boot()).catch((error: Error) => this.complain(error)));
  }

  async #boot(): Promise<void> {
    await this.#data.recover();
    const isAlive = (): boolean => life.isAlive;
    const process = new InProcess({
      data: this.#data,
      clock: this.time,
      ids: this.#ids,
      timers: this.time.timers(isAlive),
      pollTimers: (loop) => this.time.polls(loop, isAlive),
      http: this.network.client(isAlive),
      log: this.#log(isAlive),
      failpoint: (name) => {
        if (!life.isAlive || name !== this.#armed) return;
        this.#armed = null;
        this.#kill();
      },
    });
    const life: Life = { isAlive: true, process };
    this.#life = life;
    this.#outlook = null;
    await process.start().catch((error: unknown) => {
      if (life.isAlive) throw error;
    });
  }

  /** An error of a server that lives is a defect, or shows one. */
  #log(isAlive: () => boolean): Log {
    const nothing = (): void => undefined;
    const error = ({ err }: LogFields, message: string): void => {
      if (isAlive()) this.complain(new Error(`The server logged an error: ${message}`, { cause: err }));
    };
    return { debug: nothing, info: nothing, warn: nothing, error };
  }

  /** When something happens next; looks of the server that would find nothing are left out. */
  #nextMoment(end: number): number | null {
    const timer = this.time.nextTimer;
    const poll = this.time.nextPoll;
    if (poll === null || (timer !== null && timer <= poll)) return timer;
    if (this.#allLooks) return poll;
    const { next, isHeld } = this.#look();
    const until = Math.min(next ?? Number.POSITIVE_INFINITY, timer ?? Number.POSITIVE_INFINITY, end);
    if (until === Number.POSITIVE_INFINITY) return isHeld ? poll : null;
    if (until > poll) this.time.postponePolls(until, isHeld);
    return Math.min(timer ?? Number.POSITIVE_INFINITY, this.time.nextPoll ?? Number.POSITIVE_INFINITY);
  }

  /** Nothing changes without a transition, and what was due stays due. */
  #look(): Outlook {
    const { process } = this;
    if (process === null) return { next: null, isHeld: false };
    if (this.#outlook?.transitions !== process.transitions) {
      this.#outlook = { transitions: process.transitions, outlook: process.outlook() };
    }
    return this.#outlook.outlook;
  }
}

function hanging(): Error {
  return new Error(
    "An agent's or a tool's code has not ended after 10 s of real time. In this platform time goes on only when it is " +
      "told to: wait with `task.sleep`, not with timers or the network.",
  );
}

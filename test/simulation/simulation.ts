import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../packages/ops-core/src/domain/clock.ts";
import type { HttpClient, HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import type { AttemptStore, Store } from "../../packages/ops-core/src/domain/store.ts";
import { broken, settled, unsent } from "../../packages/ops-core/src/engine/test-http.ts";
import { TestTimers } from "../../packages/ops-core/src/outbound/test-timers.ts";
import { FaultyDatabase } from "../../packages/ops-core/src/store/sqlite/test-faulty-database.ts";
import { emptyData, openedOn } from "../../packages/ops-core/src/store/sqlite/test-rigs.ts";
import { World } from "../../packages/ops-core/src/store/suite/test-world.ts";
import { LastingClock } from "../../packages/ops-core/src/system/lasting-clock.ts";
import { TestIds } from "../../packages/ops-core/src/system/test-ids.ts";
import type { ClientEntry, EffectEntry } from "../checker/entries.ts";
import type { Chat } from "./chat.ts";
import { type Extras, extrasOf } from "./extras.ts";
import type { Host } from "./host.ts";
import { complainOf, Life, NoAnswer } from "./life.ts";
import { Story } from "./story.ts";
import { Watch } from "./watch.ts";

/** Steps between two looks at every invariant of rows and memory. */
const AUDIT_EVERY = 80;
/** Milliseconds between two looks at what a server leaves undone. */
const WATCH_EVERY = 700;

/**
 * The real store and engine in a world made of one seed: its clock, chance, network, disk, agents, clients and deaths.
 * Nothing in it waits for real time, so that the same seed always tells the same story.
 */
export class Simulation {
  readonly chance: TestIds;
  readonly extras: Extras;
  readonly hosts = new Map<string, Host>();
  /** What an agent or receiver saw that it must never see. */
  readonly complaints: string[] = [];
  /** What agents have done in the world outside, by key: it happens once, whoever asks for it. */
  readonly done = new Map<string, string>();
  /** Keys under which something was paid. */
  readonly paid = new Set<string>();
  /** What the checker goes by. */
  readonly client: ClientEntry[] = [];
  readonly effects: EffectEntry[] = [];
  story!: Story;
  chat!: Chat;
  /** What outlives a process: agents, clients, the network. */
  readonly timers = new TestTimers();
  /** Of those who only look on: they wake up with the next thing that happens, so that they change nothing. */
  readonly onlookers = new TestTimers();
  /** How often each thing went wrong. */
  readonly faults = new Map<string, number>();
  /** Every statement that a server has made. */
  readonly statements = new Set<string>();
  /** Set once nothing goes wrong any more. */
  healed = false;
  world!: World;
  /** The database, for the checker. */
  path = "";
  #life = this.#newLife(0);
  /** Of the process that runs. */
  #clock!: LastingClock;
  #starting = false;
  /** What it asks now is asked by a test, not by a server. */
  #audits = false;
  #db!: FaultyDatabase;
  readonly #watch = new Watch(this);
  /** Since when this process runs without a pause; and without a fault of its disk. */
  #steadySince = 0;
  #calmSince = 0;
  #spoiledUntil = 0;
  #watchAt = 0;
  readonly #unreachable = new Set<string>();
  #steps = 0;
  #sent = 0;

  constructor(seed: number) {
    this.chance = new TestIds(seed);
    this.extras = extrasOf(seed);
  }

  /** True with this probability. */
  roll(probability: number): boolean {
    return this.chance.random() < probability;
  }

  /** True with this probability until the world is healed; counted under its name. */
  fault(name: string, probability: number): boolean {
    if (this.healed || !this.roll(probability)) return false;
    this.count(name);
    return true;
  }

  count(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
  }

  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + Math.floor(this.chance.random() * (high - low + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)] as T;
  }

  /** Something happens in a while, whatever becomes of our process. */
  later(ms: number, happen: () => unknown): void {
    this.timers.set(ms, () => void happen());
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.later(ms, resolve));
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.timers.time;
  }

  get life(): Life {
    return this.#life;
  }

  /** Of the process that runs; it makes the times that its callers do not give. */
  get clock(): Clock {
    return this.#clock;
  }

  async start(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "opspawn-simulation-"));
    this.path = join(folder, "opspawn.db");
    writeFileSync(this.path, emptyData());
    this.world = await World.open(
      {
        open: async (ports) => {
          const db = new FaultyDatabase(this.path);
          this.#db = db;
          db.exec("pragma synchronous = off");
          this.#makeMortal(db, this.#life);
          this.#clock = new LastingClock(ports.clock);
          const own = { clock: this.#clock, failpoint: this.#life.failpoint };
          const opened = openedOn(db, { ...ports, ...own }, this.path, () => db.close());
          return { ...opened, audit: () => [...opened.audit(), ...overfull(db)] };
        },
        remove: async () => rmSync(folder, { recursive: true }),
      },
      () => this.#life.capacity.left(),
    );
    this.story = new Story(() => this.#clock.now());
    await this.#startLife();
  }

  async #startLife(): Promise<void> {
    const life = this.#life;
    await life.start(this.world, this.#clock, this.#networkOf(life), () => this.#lateAttempts());
    this.#interrupted();
  }

  #interrupted(): void {
    this.#steadySince = this.now;
    this.#calmSince = this.now;
  }

  /** Now and then a COMMIT fails, or is done and its answer is lost; and the dead write nothing. */
  #makeMortal(db: FaultyDatabase, life: Life): void {
    db.before = (sql) => {
      if (!this.#audits) this.statements.add(sql);
      if (!life.isAlive) throw new Error("the process is dead");
      if (sql === "commit" && this.#diskFault("commit failed")) throw new Error("disk I/O error");
    };
    db.after = (sql) => {
      if (sql === "commit" && this.#diskFault("commit unanswered")) throw new Error("the answer was lost");
    };
  }

  #diskFault(name: string): boolean {
    if (!this.fault(name, this.now < this.#spoiledUntil ? 0.5 : 0.005)) return false;
    this.#calmSince = this.now;
    return true;
  }

  // --- the server -----------------------------------------------------------------------------------------------------

  /**
   * Asks the server, over a network that delays, loses and doubles. @throws NoAnswer when none came, whatever became of it
   * @param doubles the request may be made twice
   */
  async call<T>(ask: (store: Store) => Promise<T>, doubles = false): Promise<T> {
    await this.sleep(this.between(0, 3));
    if (!this.#life.serves) throw new NoAnswer("nobody listens");
    if (this.fault("request lost", 0.02)) throw new NoAnswer("the request was lost");
    if (doubles && this.fault("request doubled", 0.03)) {
      this.later(this.between(1, 400), () => {
        if (this.#life.serves) void ask(this.world.raw).catch(() => undefined);
      });
    }
    const life = this.#life;
    const answer = await Promise.race([ask(this.world.raw), life.death]).catch((error: unknown) => {
      if (life.isAlive) complainOf(error, (what) => this.complaints.push(what));
      throw error;
    });
    if (!life.isAlive) throw new NoAnswer("the server died over it");
    if (this.fault("answer lost", 0.02)) throw new NoAnswer("the answer was lost");
    return answer;
  }

  #newLife(time: number): Life {
    const life: Life = new Life(time, (what) => {
      if (life.isAlive) this.complaints.push(what);
    });
    return life;
  }

  kill(where: string): void {
    this.#life.kill(where);
  }

  /** Nothing of ours runs for a while, then everything that was due meanwhile is due at once. */
  stall(ms: number): void {
    this.story.tell("server", `stands still for ${ms} ms`);
    this.world.clock.advance(ms * 1_000);
    for (const timers of [this.timers, this.#life.timers, this.onlookers, this.#life.onlookers]) timers.time += ms;
    this.#interrupted();
  }

  /** Milliseconds that this process has served without a pause; 0 when none does. */
  get steady(): number {
    return this.#life.serves ? this.now - this.#steadySince : 0;
  }

  /** Milliseconds that it has served with a disk that worked. */
  get calm(): number {
    return this.#life.serves ? this.now - this.#calmSince : 0;
  }

  /** Looks at the rows, past the server. */
  look<T>(sql: string, ...values: (string | number)[]): T[] {
    this.#audits = true;
    try {
      return this.#db.all<T>(sql, ...values);
    } finally {
      this.#audits = false;
    }
  }

  /** The attempts as a sender finds them whose process was thought to be dead. */
  #lateAttempts(): AttemptStore {
    if (!this.#life.serves) throw new NoAnswer("nobody listens");
    return this.#watch.lateAttempts(this.world.raw.attempts);
  }

  /** For a while most of what is written fails, or seems to. */
  spoilDisk(ms: number): void {
    this.story.tell("disk", `fails for ${ms} ms`);
    this.#spoiledUntil = this.now + ms;
  }

  /** Nothing reaches a host for a while. */
  cut(host: string, ms: number): void {
    this.story.tell(host, `cannot be reached for ${ms} ms`);
    this.#unreachable.add(host);
    this.later(ms, () => this.#unreachable.delete(host));
  }

  /** Another process starts on what this one left. @param jump milliseconds by which its clock differs */
  async #restart(): Promise<void> {
    this.#starting = true;
    const down = this.healed ? 0 : this.between(0, 4_000);
    const jump = this.#clockError();
    this.story.tell("server", `is dead: ${this.#life.killedAt}; another starts in ${down} ms, its clock ${jump} s off`);
    this.count(`killed at ${this.#life.killedAt}`);
    await settled();
    this.later(down, async () => {
      this.world.clock.advance(jump * 1_000_000);
      this.#life = this.#newLife(this.now);
      await this.world.crash();
      await this.#startLife();
      this.#starting = false;
    });
  }

  /** Seconds by which the machine's clock was set while nobody ran. */
  #clockError(): number {
    if (this.fault("clock set forward", 0.08)) return this.between(10, 90);
    return this.fault("clock set back", 0.08) ? -this.between(2, 20) : 0;
  }

  // --- time -----------------------------------------------------------------------------------------------------------

  /** Runs until `done`, or for `ms` at most; whether it was done. */
  async run(ms: number, done: () => Promise<boolean>): Promise<boolean> {
    const end = this.now + ms;
    while (this.now < end) {
      this.#advance();
      await settled();
      if (!this.#life.isAlive && !this.#starting) await this.#restart();
      this.#steps += 1;
      if (!this.#life.serves) continue;
      if (this.now >= this.#watchAt) {
        this.#watchAt = this.now + WATCH_EVERY;
        await this.#unheard(() => this.#watch.look());
      }
      if (this.#steps % AUDIT_EVERY !== 0) continue;
      await this.#unheard(async () => this.world.audit());
      if (await done()) return true;
    }
    return false;
  }

  /** Rows, memory and the log must agree in the end. */
  verify(): Promise<void> {
    return this.#unheard(() => this.world.verify());
  }

  /** Asks without being taken for a server that does. */
  async #unheard(ask: () => Promise<void>): Promise<void> {
    this.#audits = true;
    try {
      await ask();
    } finally {
      this.#audits = false;
    }
  }

  /** On to the next thing that happens. */
  #advance(): void {
    const due = [...this.timers.waiting, ...this.#life.timers.waiting].map(({ at }) => at);
    const next = due.length === 0 ? this.now + 1 : Math.min(...due);
    const step = Math.max(Math.ceil(next - this.now), 0);
    this.world.clock.advance(step * 1_000 + 1);
    this.timers.advance(step);
    // What has just happened may have put another life in the place of this one.
    this.#life.timers.advance(step);
    this.onlookers.advance(step);
    this.#life.onlookers.advance(step);
  }

  // --- the network ----------------------------------------------------------------------------------------------------

  /** The next place in the order of what is sent. */
  nextSent(): number {
    this.#sent += 1;
    return this.#sent;
  }

  /** The way out of one life: what is under way when it dies goes on without it. */
  #networkOf(life: Life): HttpClient {
    return {
      post: (request) =>
        new Promise((resolve) => {
          if (!life.isAlive) return;
          const sent = this.nextSent();
          life.posted.add(request.headers?.["x-opspawn-token"] ?? "");
          const end = (result: HttpResult) => {
            if (life.isAlive) resolve(result);
            // The process was not dead, it stood still; it wakes when another has taken over, or is about to.
            else if (this.fault("sender woke late", 0.8)) this.#wake(this.between(0, 600), () => resolve(result));
          };
          request.signal?.addEventListener("abort", () => end(broken("aborted")));
          this.later(request.deadline ?? 60_000, () => end(broken("timeout")));
          this.later(this.between(1, 5), async () => end(await this.#exchange(request, sent)));
        }),
    };
  }

  /** In a while, when there is somebody to talk to. */
  #wake(ms: number, goOn: () => void): void {
    this.later(ms, () => (this.#life.serves ? goOn() : this.#wake(this.between(1, 300), goOn)));
  }

  async #exchange(request: HttpPost, sent: number): Promise<HttpResult> {
    const name = new URL(request.url).host;
    const host = this.hosts.get(name);
    if (host === undefined || this.#unreachable.has(name)) return unsent();
    if (host.isReliable) return host.receive(request, { doubled: false, sent });
    if (this.fault("message unsent", 0.05)) return unsent();
    if (this.fault("message lost", 0.04)) return broken();
    if (host.takesDoubles && this.fault("message doubled", 0.03)) {
      this.later(this.between(1, 2_000), () => host.receive(request, { doubled: true, sent }));
    }
    const answer = await host.receive(request, { doubled: false, sent });
    return this.fault("agent's answer lost", 0.05) ? broken() : answer;
  }
}

/** Agents and tools that hold more than their slots; in a simulation none is given fewer while it holds some. */
function overfull(db: FaultyDatabase): string[] {
  return db
    .all<{ what: string }>(`select 'agent ' || id as what from agents a where max_concurrency <
        (select count(*) from tasks t where t.status = 'running' and t.agent_id = a.id)
        + (select count(*) from draining_slots d where d.agent_id = a.id)
      union all select 'tool ' || name from tools where max_concurrency <
        (select count(*) from tasks t where t.status = 'running' and t.agent_id is null and t.lane = 'tool:' || name)
        + (select count(*) from draining_slots d where d.tool = name)`)
    .map(({ what }) => `${what} holds more than its slots`);
}

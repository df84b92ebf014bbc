import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpClient, HttpPost, HttpResult } from "../../packages/ops-core/src/domain/http-client.ts";
import type { Log } from "../../packages/ops-core/src/domain/log.ts";
import { Engine } from "../../packages/ops-core/src/engine/engine.ts";
import { SendCapacity } from "../../packages/ops-core/src/engine/send-capacity.ts";
import { broken, settled, unsent } from "../../packages/ops-core/src/engine/test-http.ts";
import { TestTimers } from "../../packages/ops-core/src/outbound/test-timers.ts";
import { FaultyDatabase } from "../../packages/ops-core/src/store/sqlite/test-faulty-database.ts";
import { emptyData, openedOn } from "../../packages/ops-core/src/store/sqlite/test-rigs.ts";
import { World } from "../../packages/ops-core/src/store/suite/test-world.ts";
import { TestIds } from "../../packages/ops-core/src/system/test-ids.ts";

/** Steps between two looks at every invariant. */
const AUDIT_EVERY = 40;
const CAPACITY = 12;

/** An agent, as the network sees it. */
export interface Host {
  /** Nothing goes wrong on the way to it. */
  readonly isReliable?: boolean;
  receive(request: HttpPost): Promise<HttpResult>;
}

/**
 * The real store and engine in a world made of one seed: its clock, chance, network, agents and crashes. A crash drops
 * the process, with everything that was queued or under way, and another one starts on the same file.
 */
export class Simulation implements HttpClient {
  readonly chance: TestIds;
  readonly hosts = new Map<string, Host>();
  /** What an agent or receiver saw that it must never see. */
  readonly complaints: string[] = [];
  /** What outlives a process: agents, clients, the network. */
  readonly timers = new TestTimers();
  /** Set once nothing goes wrong any more. */
  healed = false;
  world!: World;
  #process = new TestTimers();
  #capacity = new SendCapacity(CAPACITY);
  #crashed = false;
  #steps = 0;

  constructor(seed: number) {
    this.chance = new TestIds(seed);
  }

  /** True with this probability. */
  roll(probability: number): boolean {
    return this.chance.random() < probability;
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

  get now(): number {
    return this.timers.time;
  }

  async start(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "opspawn-simulation-"));
    const path = join(folder, "opspawn.db");
    writeFileSync(path, emptyData());
    this.world = await World.open(
      {
        open: async (ports) => {
          const db = new FaultyDatabase(path);
          db.exec("pragma synchronous = off");
          this.#makeFaulty(db);
          const opened = openedOn(db, ports, path, () => db.close());
          return { ...opened, audit: () => [...opened.audit(), ...overfull(db)] };
        },
        remove: async () => rmSync(folder, { recursive: true }),
      },
      () => this.#capacity.left(),
    );
    await this.#startProcess();
  }

  /** Now and then a COMMIT fails, or is done and its answer is lost. */
  #makeFaulty(db: FaultyDatabase): void {
    const fails = (sql: string) => sql === "commit" && !this.healed && this.roll(0.01);
    db.before = (sql) => {
      if (fails(sql)) throw new Error("disk I/O error");
    };
    db.after = (sql) => {
      if (fails(sql)) throw new Error("the answer was lost");
    };
  }

  async #startProcess(): Promise<void> {
    this.#process = new TestTimers();
    this.#process.time = this.timers.time;
    this.#capacity = new SendCapacity(CAPACITY);
    const { clock, ids, raw: store } = this.world;
    const engine = new Engine({
      store,
      http: this,
      clock,
      ids,
      timers: this.#process,
      log: { error: () => undefined } as unknown as Log,
      capacity: this.#capacity,
      publicUrl: "http://us.test",
      signMessage: () => ({}),
      signDelivery: () => ({}),
    });
    try {
      await engine.start();
    } catch {
      // A commit of the start failed, and so the process did not come up.
      this.#crashed = true;
    }
  }

  crash(): void {
    this.#crashed = true;
  }

  /** Nothing of ours runs for a while, then everything that was due meanwhile is due at once. */
  stall(ms: number): void {
    this.world.clock.advance(ms * 1_000);
    this.timers.time += ms;
    this.#process.time += ms;
  }

  /** Runs until `done`, or for `ms` at most; whether it was done. */
  async run(ms: number, done: () => Promise<boolean>): Promise<boolean> {
    const end = this.now + ms;
    while (this.now < end) {
      this.#advance();
      await settled();
      if (this.#crashed) await this.#restart();
      this.#steps += 1;
      if (this.#steps % AUDIT_EVERY !== 0) continue;
      this.world.audit();
      if (await done()) return true;
    }
    return false;
  }

  async #restart(): Promise<void> {
    this.#crashed = false;
    await this.world.crash();
    await this.#startProcess();
    await settled();
  }

  /** On to the next thing that happens. */
  #advance(): void {
    const due = [...this.timers.waiting, ...this.#process.waiting].map(({ at }) => at);
    const next = due.length === 0 ? this.now + 1 : Math.min(...due);
    const step = Math.max(Math.ceil(next - this.now), 0);
    this.world.clock.advance(step * 1_000 + 1);
    this.timers.advance(step);
    this.#process.advance(step);
  }

  // --- the network ----------------------------------------------------------------------------------------------------

  async post(request: HttpPost): Promise<HttpResult> {
    const host = this.hosts.get(new URL(request.url).host);
    if (host === undefined) return unsent();
    return new Promise((resolve) => {
      request.signal?.addEventListener("abort", () => resolve(broken("aborted")));
      this.later(request.deadline ?? 60_000, () => resolve(broken("timeout")));
      this.later(this.between(1, 5), async () => resolve(await this.#exchange(host, request)));
    });
  }

  async #exchange(host: Host, request: HttpPost): Promise<HttpResult> {
    if (this.healed || host.isReliable) return host.receive(request);
    if (this.roll(0.05)) return unsent();
    if (this.roll(0.04)) return broken();
    const answer = await host.receive(request);
    return this.roll(0.05) ? broken() : answer;
  }
}

/** Agents that hold more than their slots; in a simulation none is ever given fewer. */
function overfull(db: FaultyDatabase): string[] {
  const rows = db.all<{ id: string }>(`select id from agents a where max_concurrency <
    (select count(*) from tasks t where t.status = 'running' and t.agent_id = a.id)
    + (select count(*) from draining_slots d where d.agent_id = a.id)`);
  return rows.map(({ id }) => `agent ${id} holds more than its slots`);
}

import { cursorOf, startAtCursor, startAtNumber } from "../../packages/ops-core/src/domain/events/cursor.ts";
import type { StreamRequest } from "../../packages/ops-core/src/domain/events/event-streams.ts";
import type { StreamItem } from "../../packages/ops-core/src/domain/events/live-stream.ts";
import { sessionTarget, type Target, taskTarget } from "../../packages/ops-core/src/domain/events/targets.ts";
import type { EventStore } from "../../packages/ops-core/src/domain/store.ts";
import type { TestIds } from "../../packages/ops-core/src/system/test-ids.ts";
import type { StreamLog } from "../checker/entries.ts";
import type { Life } from "./life.ts";
import type { Simulation } from "./simulation.ts";

/** Streams of single sessions and tasks that are followed at once. */
const MOST = 6;
const EVERYTHING = { stream: null, counts: "positions" } as const;

interface Thing {
  readonly kind: "session" | "task";
  readonly id: string;
}

/**
 * Follows everything, and now and then a session or a task to its end, over connections that are cut off in the middle of
 * what they tell and die with their server. It has chance of its own: who looks on changes nothing.
 */
export class Watcher {
  readonly logs: StreamLog[] = [];
  readonly #sim: Simulation;
  readonly #chance: TestIds;
  readonly #all: StreamLog;

  constructor(sim: Simulation, chance: TestIds) {
    this.#sim = sim;
    this.#chance = chance;
    this.#all = this.#begin("all", null);
  }

  /** Takes a look at something now and then. @param asked ids of sessions and tasks that somebody has asked for */
  async watch(asked: () => readonly Thing[]): Promise<void> {
    const sim = this.#sim;
    if (sim.healed) return;
    const things = [...asked(), ...(await this.#tasks())];
    const known = things.filter(({ id }) => this.logs.every((log) => log.id !== id));
    const open = this.logs.filter(({ ended }) => ended === null).length;
    const chosen = known[Math.floor(this.#chance.random() * known.length)];
    if (chosen !== undefined && open <= MOST) this.#begin(chosen.kind, chosen.id);
    await this.#sleep(200 + this.#chance.random() * 2_000);
    await this.watch(asked);
  }

  /** It was told all there is. */
  async isUpToDate(): Promise<boolean> {
    if (this.logs.some(({ follows, ended }) => follows !== "all" && ended === null)) return false;
    const last = this.#all.told.at(-1)?.position ?? 0;
    return (await this.#sim.world.raw.events.list(last, 1)).length === 0;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#sim.onlookers.set(ms, resolve));
  }

  /** Some that there are, most of them of sessions; none while no server is there to ask. */
  async #tasks(): Promise<Thing[]> {
    if (!this.#sim.life.serves) return [];
    const page = await this.#sim.world.raw.tasks.list({ limit: 20 }, {}).catch(() => ({ items: [] }));
    return page.items.map(({ id }) => ({ kind: "task", id }));
  }

  #begin(follows: StreamLog["follows"], id: string | null): StreamLog {
    const log: StreamLog = { follows, id, told: [], resets: [], ended: null };
    this.logs.push(log);
    void this.#follow(log);
    return log;
  }

  async #follow(log: StreamLog): Promise<void> {
    const sim = this.#sim;
    let cursor = "";
    while (log.ended === null) {
      await this.#sleep(this.#chance.random() * 1_000);
      if (!sim.life.serves) continue;
      try {
        for await (const item of this.#connection(sim.life, log, cursor)) cursor = this.#note(log, item, cursor);
      } catch {
        // The server died, its disk failed, or it does not know yet what is asked for: another connection.
      }
    }
  }

  /** What comes over one connection, until it is cut off, its server dies, or there is no more. */
  async *#connection(life: Life, log: StreamLog, cursor: string): AsyncGenerator<StreamItem> {
    const gone = new AbortController();
    const request = await this.#request(log, cursor, gone.signal);
    const stream = await Promise.race([life.streams.open(request), life.death]);
    if (stream === null) {
      // All but the word that it ended was told over an earlier connection.
      log.ended = (await request.ended?.()) ?? null;
      return;
    }
    try {
      for (;;) {
        const item = await Promise.race([stream.next(), life.death]);
        if (item === null) return;
        // On the way, and until it is read; what a dead server had sent may still arrive.
        await this.#sleep(this.#chance.random() * 8);
        if (!life.isAlive && this.#chance.random() < 0.5) return;
        if (!this.#sim.healed && this.#chance.random() < 0.06) {
          this.#sim.count("stream cut off");
          yield this.#partOf(item);
          return;
        }
        yield item;
      }
    } finally {
      gone.abort();
      stream.close();
    }
  }

  /** What arrives of something that is cut off. */
  #partOf(item: StreamItem): StreamItem {
    if (item.type !== "events") return { type: "quiet", last: null };
    const events = item.events.slice(0, Math.floor(this.#chance.random() * item.events.length));
    return { type: "events", events };
  }

  /** @returns the cursor after it */
  #note(log: StreamLog, item: StreamItem, cursor: string): string {
    if (item.type === "reset") log.resets.push(item.reason);
    if (item.type === "end") log.ended = item.status;
    if (item.type === "quiet") return item.last === null ? cursor : cursorOf(item.last);
    if (item.type !== "events") return cursor;
    log.told.push(...item.events.map(({ position, type }) => ({ position, type })));
    const last = item.events.at(-1);
    return last === undefined ? cursor : cursorOf(last);
  }

  async #request(log: StreamLog, cursor: string, signal: AbortSignal): Promise<StreamRequest> {
    const target = await this.#target(log);
    const selection = target?.selection ?? EVERYTHING;
    const start = (events: EventStore) =>
      cursor === "" ? startAtNumber(events, selection, 0) : startAtCursor(events, selection, cursor);
    return { owner: "watcher", selection, start, ended: target?.ended ?? null, signal };
  }

  async #target({ follows, id }: StreamLog): Promise<Target | null> {
    const store = this.#sim.world.raw;
    if (follows === "session") return sessionTarget(store, id ?? "", undefined);
    return follows === "task" ? taskTarget(store, id ?? "", undefined) : null;
  }
}

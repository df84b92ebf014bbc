import { type ConcurrencyLimit, readLimits, type TaskLimits } from "../../domain/tasks/limits.ts";
import type { Database } from "./database.ts";

/** Tasks that wait in one lane under the same limits. */
export interface Line {
  readonly lane: string;
  /** See `limitsText`. */
  readonly text: string;
  readonly limits: TaskLimits;
  /** No task in it has a smaller order key. */
  least: number;
}

interface Permit {
  readonly key: string;
  readonly n: number;
}

interface PermitRow extends Permit {
  readonly task_id: string;
  readonly attempt: number;
}

interface LineRow {
  readonly lane: string;
  readonly limits: string;
  readonly least: number;
}

/** Each column stands in the index that is read. */
const LINES = `select lane, limits, min(order_key) as least from tasks
  where status = 'pending' and held = 0 and limits is not null group by lane, limits`;

/**
 * What the claim needs to know of limits, in memory: who holds permits of which key, and which lines wait. A copy of rows
 * like the index of agents, read anew after a rollback.
 */
export class LimitIndex {
  readonly #db: Database;
  readonly #lines = new Map<string, Map<string, Line>>();
  readonly #byKey = new Map<string, Set<Line>>();
  readonly #taken = new Map<string, Set<number>>();
  /** By the attempt's name. */
  readonly #holders = new Map<string, Permit>();
  /** Of keys that somebody asked for. */
  readonly #uses = new Map<string, number>();
  /** How often something changed about a key. */
  readonly #changes = new Map<string, number>();
  /** Limits with a stored reason, and what had changed when it was written. */
  readonly #noted = new Map<string, number>();
  #stale = true;

  constructor(db: Database) {
    this.#db = db;
  }

  forget(): void {
    this.#stale = true;
  }

  get stale(): boolean {
    return this.#stale;
  }

  // --- lines --------------------------------------------------------------------------------------------------------

  /** A task begins to wait, or may have. @param orderKey below that of any task that may wait there */
  enter(lane: string, text: string, orderKey: number): void {
    this.#fresh();
    const known = this.#lines.get(lane)?.get(text);
    if (known === undefined) this.#put({ lane, text, limits: readLimits(text), least: orderKey });
    else known.least = Math.min(known.least, orderKey);
  }

  /** No task waits there. */
  leave(line: Line): void {
    const lines = this.#lines.get(line.lane);
    lines?.delete(line.text);
    if (lines?.size === 0) this.#lines.delete(line.lane);
    for (const name of keyNames(line.limits)) {
      const others = this.#byKey.get(name);
      others?.delete(line);
      if (others?.size === 0) this.#byKey.delete(name);
    }
  }

  linesIn(lane: string): Iterable<Line> {
    this.#fresh();
    return this.#lines.get(lane)?.values() ?? [];
  }

  line(lane: string, text: string): Line | undefined {
    this.#fresh();
    return this.#lines.get(lane)?.get(text);
  }

  waitsIn(lane: string): boolean {
    this.#fresh();
    return this.#lines.has(lane);
  }

  lanes(): Iterable<string> {
    this.#fresh();
    return this.#lines.keys();
  }

  *everyLine(): Iterable<Line> {
    this.#fresh();
    for (const lines of this.#lines.values()) yield* lines.values();
  }

  /** The lines that wait for any key of these limits. */
  *linesOf(limits: TaskLimits): Iterable<Line> {
    this.#fresh();
    for (const name of keyNames(limits)) yield* this.#byKey.get(name) ?? [];
  }

  #put(line: Line): void {
    const lines = this.#lines.get(line.lane);
    if (lines === undefined) this.#lines.set(line.lane, new Map([[line.text, line]]));
    else lines.set(line.text, line);
    for (const name of keyNames(line.limits)) {
      const others = this.#byKey.get(name);
      if (others === undefined) this.#byKey.set(name, new Set([line]));
      else others.add(line);
    }
  }

  // --- permits and uses ---------------------------------------------------------------------------------------------

  held(key: string): number {
    this.#fresh();
    return this.#taken.get(key)?.size ?? 0;
  }

  /** The smallest permit that nobody holds. */
  free(key: string): number {
    this.#fresh();
    const taken = this.#taken.get(key);
    let n = 0;
    while (taken?.has(n) === true) n += 1;
    return n;
  }

  take(attempt: string, permit: Permit): void {
    const taken = this.#taken.get(permit.key);
    if (taken === undefined) this.#taken.set(permit.key, new Set([permit.n]));
    else taken.add(permit.n);
    this.#holders.set(attempt, permit);
    this.#change(concurrencyName(permit.key));
  }

  holds(attempt: string): boolean {
    this.#fresh();
    return this.#holders.has(attempt);
  }

  /** The key of the permit that an attempt held; undefined when it held none. */
  release(attempt: string): string | undefined {
    this.#fresh();
    const permit = this.#holders.get(attempt);
    if (permit === undefined) return undefined;
    this.#holders.delete(attempt);
    const taken = this.#taken.get(permit.key);
    taken?.delete(permit.n);
    if (taken?.size === 0) this.#taken.delete(permit.key);
    this.#change(concurrencyName(permit.key));
    return permit.key;
  }

  /** Whether any attempt holds a permit: most deployments have no limits at all. */
  get anyHeld(): boolean {
    this.#fresh();
    return this.#holders.size > 0;
  }

  /** The number of a key's last use, 0 before the first. */
  lastUse(key: string): number {
    this.#fresh();
    const known = this.#uses.get(key);
    if (known !== undefined) return known;
    const sql = "select n from rate_uses where key = ? order by n desc limit 1";
    const last = this.#db.get<{ n: number }>(sql, key)?.n ?? 0;
    this.#uses.set(key, last);
    return last;
  }

  used(key: string, n: number): void {
    this.#uses.set(key, n);
    this.#change(rateName(key));
  }

  /** Uses were removed that count no more. */
  forgetUses(): void {
    this.#uses.clear();
  }

  #change(name: string): void {
    this.#changes.set(name, (this.#changes.get(name) ?? 0) + 1);
  }

  // --- reasons ------------------------------------------------------------------------------------------------------

  isNoted({ text }: Line): boolean {
    this.#fresh();
    return this.#noted.has(text);
  }

  /** Whether nothing has changed since the reason was written. */
  isNotedAsItIs({ text, limits }: Line): boolean {
    this.#fresh();
    return this.#noted.get(text) === this.#changesOf(limits);
  }

  note({ text, limits }: Line): void {
    this.#noted.set(text, this.#changesOf(limits));
  }

  unnote({ text }: Line): void {
    this.#noted.delete(text);
  }

  #changesOf(limits: TaskLimits): number {
    return keyNames(limits).reduce((sum, name) => sum + (this.#changes.get(name) ?? 0), 0);
  }

  /** What it knows, as texts to compare. */
  contents(): { readonly permits: string[]; readonly lines: string[]; readonly uses: [string, number][] } {
    this.#fresh();
    const permits = [...this.#holders].map(([attempt, { key, n }]) => `${attempt} ${key} ${n}`);
    const lines = [...this.everyLine()].map(({ lane, text }) => `${lane} ${text}`);
    return { permits, lines, uses: [...this.#uses] };
  }

  #fresh(): void {
    if (!this.#stale) return;
    this.#stale = false;
    for (const map of [this.#lines, this.#byKey, this.#taken, this.#holders, this.#uses, this.#changes, this.#noted]) {
      map.clear();
    }
    for (const { task_id, attempt, key, n } of this.#db.all<PermitRow>(
      "select key, n, task_id, attempt from permits",
    )) {
      this.take(`${task_id}/${attempt}`, { key, n });
    }
    for (const { lane, limits, least } of this.#db.all<LineRow>(LINES)) {
      this.#put({ lane, text: limits, limits: readLimits(limits), least });
    }
    for (const { lane } of this.#db.all<{ lane: string }>("select lane from lanes where lane >= '{' and lane < '|'")) {
      this.#noted.set(lane, -1);
    }
  }
}

function concurrencyName(key: string): string {
  return `concurrency ${key}`;
}

function rateName(key: string): string {
  return `rate ${key}`;
}

/** Keys of the two kinds are apart, whatever they are called. */
function keyNames({ concurrency, rate }: TaskLimits): string[] {
  const name = (limit: ConcurrencyLimit | null, of: (key: string) => string) => (limit === null ? [] : [of(limit.key)]);
  return [...name(concurrency, concurrencyName), ...name(rate, rateName)];
}

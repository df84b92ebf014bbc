import { parseTime } from "@opspawn/contract";
import type { Timing } from "../../../packages/ops-core/src/domain/schedules/schedule.ts";
import type { Fact } from "../../checker/history.ts";
import { ScheduleTimes } from "./schedule-times.ts";

/** A due time noticed later than this is late. Microseconds. */
const ON_TIME = 10_000_000;
const COUNTED_MAX = 100;

export interface ScheduleRow {
  readonly id: string;
  readonly name: string;
  readonly workflow_id: string;
  readonly timing: string;
  readonly start_at: number | null;
  readonly end_at: number | null;
  readonly overlap: string;
  readonly catch_up: string;
  readonly catch_up_window: number;
  readonly paused_at: number | null;
  readonly next_at: number | null;
  readonly queued: number;
  readonly started: number;
  readonly skipped: number;
  readonly failed: number;
  readonly missed: number;
}

interface Right {
  readonly missed: readonly number[];
  readonly fire: number | null;
}

/** One schedule on its way, by what the log says of it: which due time is next, who waits, whose session is open. */
export class ScheduleCourse {
  readonly #row: ScheduleRow;
  readonly #times: ScheduleTimes;
  /** Where in the log each session ended. */
  readonly #ends: ReadonlyMap<string, number>;
  readonly #sessions: string[] = [];
  /** Numbers of fires that wait, in order, and their due times. */
  readonly #queue: { readonly sequence: number; readonly dueAt: number }[] = [];
  readonly #fired = new Set<number>();
  readonly #decided = new Set<number>();
  readonly #counts = { started: 0, skipped: 0, failed: 0, missed: 0 };
  #next: number | null = null;
  #until = 0;
  #paused = false;

  constructor(row: ScheduleRow, ends: ReadonlyMap<string, number>) {
    this.#row = row;
    this.#times = new ScheduleTimes(JSON.parse(row.timing) as Timing, row.start_at, row.end_at);
    this.#ends = ends;
  }

  /** Due times from one moment to before another that nothing was decided about. */
  undecided(from: number, to: number): number[] {
    return this.#times.between(from, to).filter((due) => !this.#decided.has(due));
  }

  /** What is wrong with it. */
  *take(fact: Fact): Iterable<string> {
    const { type, at } = fact;
    if (type === "schedule.created") this.#next = this.#times.after(at);
    if (type === "schedule.paused") [this.#paused, this.#next] = [true, null];
    if (type === "schedule.resumed") {
      this.#paused = false;
      this.#next = this.#times.after(Math.max(at, this.#until));
    }
    if (type.startsWith("schedule.fire_")) yield* this.#fire(type.slice("schedule.fire_".length), fact);
  }

  *#fire(outcome: string, fact: Fact): Iterable<string> {
    const { data, at } = fact;
    const name = `${String(data.kind)} ${String(data.dueAt)} (${outcome})`;
    const isTurn = this.#queue.some(({ sequence }) => sequence === data.sequence);
    if (isTurn) yield* this.#turn(outcome, fact, name);
    else if (outcome === "missed") yield* this.#missed(fact, name);
    else if (data.kind === "series") yield* this.#series(outcome, fact, name);
    else if (data.kind === "backfill") yield* this.#backfill(outcome, fact, name);
    if (timeOf(data.dueAt) > at) yield `${name} was fired before its time`;
    if (this.#paused && data.kind === "series") yield `${name} was fired while it was paused`;
    if (outcome === "started") this.#sessions.push(String(data.sessionId));
    if (outcome !== "queued") this.#counts[outcome as "started"] += Number(data.count ?? 1);
  }

  /** A fire that has waited has its turn. */
  *#turn(outcome: string, { data, position }: Fact, name: string): Iterable<string> {
    const first = this.#queue[0];
    if (first?.sequence !== data.sequence) yield `${name} had its turn before ${first?.sequence}`;
    if (this.#paused) yield `${name} had its turn while it was paused`;
    if (this.#row.overlap !== "allow" && this.#open(position) > 0) yield `${name} did not wait for an earlier session`;
    this.#queue.splice(0, this.#queue.length, ...this.#queue.filter(({ sequence }) => sequence !== data.sequence));
    if (outcome === "failed") this.#fired.delete(timeOf(data.dueAt));
  }

  *#missed({ data, at }: Fact, name: string): Iterable<string> {
    const { missed } = this.#right(at);
    const [from, to] = [timeOf(data.dueAt), timeOf(data.lastDueAt ?? data.dueAt)];
    if (from !== missed[0] || to !== missed.at(-1))
      yield `${name} gave up ${from} to ${to}, ${range(missed)} were too late`;
    if (Number(data.count ?? 1) !== Math.min(missed.length, COUNTED_MAX)) yield `${name} counts ${String(data.count)}`;
    for (const due of missed) this.#decided.add(due);
    this.#until = to;
    this.#next = this.#times.after(to);
  }

  *#series(outcome: string, fact: Fact, name: string): Iterable<string> {
    const due = timeOf(fact.data.dueAt);
    const { missed, fire } = this.#right(fact.at);
    if (due !== fire) yield `${name} was fired, ${fire ?? "nothing"} was due`;
    else if (missed.length > 0) yield `${name} was fired, and ${missed.length} before it were forgotten`;
    yield* this.#overlap(outcome, fact, name);
    yield* this.#once(outcome, fact, name);
    this.#until = due;
    this.#next = this.#times.after(due);
  }

  /** What its overlap says, where an earlier session is open or others wait. */
  *#overlap(outcome: string, { position }: Fact, name: string): Iterable<string> {
    const { overlap } = this.#row;
    const isOpen = this.#open(position) > 0;
    const waits = overlap !== "allow" && (isOpen || (overlap === "queue" && this.#queue.length > 0));
    const held = { skip: "skipped", queue: "queued" }[overlap];
    if (waits && outcome !== held) yield `${name} while an earlier session was open, it had to be ${held}`;
    if (!waits && outcome !== "started" && outcome !== "failed") yield `${name} although nothing was in its way`;
  }

  *#backfill(outcome: string, fact: Fact, name: string): Iterable<string> {
    const due = timeOf(fact.data.dueAt);
    if (this.#times.after(due - 1) !== due) yield `${name} is no due time`;
    if (this.#next !== null && due >= this.#next) yield `${name} was the series' own`;
    yield* this.#once(outcome, fact, name);
    this.#until = Math.max(this.#until, due);
  }

  *#once(outcome: string, { data }: Fact, name: string): Iterable<string> {
    const due = timeOf(data.dueAt);
    this.#decided.add(due);
    const isFired = outcome === "started" || outcome === "queued";
    if (this.#fired.has(due)) yield `${name}, and it was fired before`;
    if (isFired) this.#fired.add(due);
    if (outcome === "queued") this.#queue.push({ sequence: Number(data.sequence), dueAt: due });
  }

  /** What is to be done with the due times that have passed. */
  #right(at: number): Right {
    const due = this.#next === null ? [] : this.#times.between(this.#next, at + 1);
    const { catch_up: policy, catch_up_window: window } = this.#row;
    const recent = due.filter((time) => time >= at - (policy === "skip" ? ON_TIME : window));
    const fire = (policy === "all" ? recent[0] : recent.at(-1)) ?? null;
    return { missed: due.filter((time) => fire === null || time < fire), fire };
  }

  #open(position: number): number {
    const isOpen = (id: string) => (this.#ends.get(id) ?? Number.POSITIVE_INFINITY) > position;
    return this.#sessions.filter(isOpen).length;
  }

  /** What its row says must be what happened. */
  *end(): Iterable<string> {
    const { next_at: next, queued, started, skipped, failed, missed } = this.#row;
    if (next !== this.#next) yield `it is due at ${next}, ${this.#next} is right`;
    if (queued !== this.#queue.length) yield `${queued} fires wait, ${this.#queue.length} are right`;
    const said = { started, skipped, failed, missed };
    for (const [outcome, count] of Object.entries(this.#counts)) {
      if (said[outcome as keyof typeof said] !== count)
        yield `it counts ${said[outcome as keyof typeof said]} ${outcome}, and there were ${count}`;
    }
    if (this.#next !== null || this.#queue.length > 0) yield "it has not come to its end";
  }
}

function range(times: readonly number[]): string {
  return times.length === 0 ? "none" : `${times[0]} to ${times.at(-1)}`;
}

function timeOf(text: unknown): number {
  return parseTime(String(text)) ?? Number.NaN;
}

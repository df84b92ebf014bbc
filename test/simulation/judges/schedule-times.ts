import { MINUTE, SECOND } from "../../../packages/ops-core/src/domain/clock.ts";
import type { Timing } from "../../../packages/ops-core/src/domain/schedules/schedule.ts";

/** The due times of a schedule by another way than the product's: those of cron expressions that name seconds alone. */
export class ScheduleTimes {
  readonly #timing: Timing;
  readonly #startAt: number;
  readonly #endAt: number;

  constructor(timing: Timing, startAt: number | null, endAt: number | null) {
    this.#timing = timing;
    this.#startAt = startAt ?? 0;
    this.#endAt = endAt ?? Number.POSITIVE_INFINITY;
  }

  /** The first one after a moment; null when none is left. */
  after(moment: number): number | null {
    const from = Math.max(moment + 1, this.#startAt);
    const due = this.#timing.kind === "every" ? this.#interval(from) : this.#cron(from);
    return due < this.#endAt ? due : null;
  }

  /** Those from one moment to before another. */
  between(from: number, to: number): number[] {
    const found: number[] = [];
    for (let due = this.after(from - 1); due !== null && due < to; due = this.after(due)) found.push(due);
    return found;
  }

  #interval(from: number): number {
    const { every, anchor } = this.#timing as Extract<Timing, { kind: "every" }>;
    const past = (((from - anchor) % every) + every) % every;
    return past === 0 ? from : from + every - past;
  }

  #cron(from: number): number {
    const { cron } = this.#timing as Extract<Timing, { kind: "cron" }>;
    const each = Number(/^\*\/(\d+) \* \* \* \* \*$/.exec(cron)?.[1]);
    const minute = Math.floor(from / MINUTE) * MINUTE;
    for (let second = 0; second < 60; second += each) {
      if (minute + second * SECOND >= from) return minute + second * SECOND;
    }
    return minute + MINUTE;
  }
}

import type { Timers } from "../domain/timers.ts";

/** Timers under the test's control: time stands still until it is told to go on. */
export class TestTimers implements Timers {
  time = 0;
  waiting: { at: number; fire: () => void }[] = [];

  now(): number {
    return this.time;
  }

  set(ms: number, fire: () => void): () => void {
    const entry = { at: this.time + ms, fire };
    this.waiting.push(entry);
    return () => {
      this.waiting = this.waiting.filter((other) => other !== entry);
    };
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.waiting.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.waiting = this.waiting.filter((entry) => entry !== next);
      this.time = next.at;
      next.fire();
    }
    this.time = end;
  }
}

import type { Rows } from "../checker/evidence.ts";
import type { History } from "../checker/history.ts";
import { schedulesOf } from "./judges/schedules.ts";
import type { Simulation } from "./simulation.ts";
import { Timetable } from "./timetable.ts";

/** Who comes to a world with extras. */
export class Guests {
  readonly #sim: Simulation;
  readonly #timetable: Timetable | null;

  /** @param agents that are there */
  constructor(sim: Simulation, agents: readonly { readonly id: string }[]) {
    this.#sim = sim;
    this.#timetable = sim.extras.schedules ? new Timetable(sim, agents) : null;
  }

  begin(): void {
    void this.#timetable?.keep();
  }

  /** All that they wanted is answered. */
  get isContent(): boolean {
    return this.#timetable?.isContent ?? true;
  }

  /** What of theirs has not come to its end. */
  open(): string[] {
    const open = "select id from schedules where next_at is not null or queued > 0";
    return this.#timetable === null ? [] : this.#sim.look<{ id: string }>(open).map(({ id }) => id);
  }

  /** What is wrong with it in the end. */
  *judge(db: Rows, history: History): Iterable<string> {
    if (this.#timetable !== null) yield* schedulesOf(db, history, this.#timetable);
  }
}

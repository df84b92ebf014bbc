import type { Rows } from "../checker/evidence.ts";
import type { History } from "../checker/history.ts";
import { Forker } from "./forker.ts";
import { forksOf } from "./judges/forks.ts";
import { lettersOf } from "./judges/letters.ts";
import { remindersOf } from "./judges/reminders.ts";
import { schedulesOf } from "./judges/schedules.ts";
import { toolsOf } from "./judges/tools.ts";
import { Letters } from "./letters.ts";
import type { Simulation } from "./simulation.ts";
import { Timetable } from "./timetable.ts";
import { Toolbox } from "./toolbox.ts";
import type { Voice } from "./voice.ts";

const SCHEDULES = "select id from schedules where next_at is not null or queued > 0";
/** That may still be under way, and were given up. */
const CALLS = "select task_id as id from draining_slots where tool is not null";

/** Who comes to a world with extras. */
export class Guests {
  readonly #sim: Simulation;
  readonly #timetable: Timetable | null;
  readonly #toolbox: Toolbox | null;
  readonly #forker: Forker | null;
  readonly #letters: Letters | null;

  /** @param agents that are there @param voice what is decided besides */
  constructor(sim: Simulation, agents: readonly { readonly id: string }[], voice: Voice) {
    this.#sim = sim;
    this.#timetable = sim.extras.schedules ? new Timetable(sim, agents) : null;
    this.#toolbox = sim.extras.tools ? new Toolbox(sim) : null;
    this.#forker = sim.extras.forks ? new Forker(sim) : null;
    this.#letters = sim.extras.links ? new Letters(sim, voice) : null;
  }

  begin(): void {
    void this.#timetable?.keep();
    void this.#toolbox?.begin();
    void this.#letters?.begin();
    if (this.#forker !== null) this.#sim.later(6_000, () => this.#forker?.look());
  }

  /** All that they wanted is answered. */
  get isContent(): boolean {
    return [this.#timetable, this.#forker, this.#letters].every((guest) => guest?.isContent ?? true);
  }

  /** What of theirs has not come to its end. */
  open(): string[] {
    const { schedules, tools } = this.#sim.extras;
    return [...(schedules ? this.#look(SCHEDULES) : []), ...(tools ? this.#look(CALLS) : [])];
  }

  #look(sql: string): string[] {
    return this.#sim.look<{ id: string }>(sql).map(({ id }) => id);
  }

  /** What is wrong with it in the end. */
  *judge(db: Rows, history: History): Iterable<string> {
    if (this.#timetable !== null) yield* schedulesOf(db, history, this.#timetable);
    if (this.#toolbox !== null) yield* toolsOf(db, history, this.#toolbox);
    if (this.#forker !== null) yield* forksOf(db, history, this.#forker);
    if (this.#letters === null) return;
    yield* lettersOf(db, this.#letters);
    yield* remindersOf(db, history);
  }
}

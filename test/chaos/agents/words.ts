import { setTimeout as sleep } from "node:timers/promises";
import type { Ticket } from "../../checker/entries.ts";
import type { SyncedLog } from "../logs/synced-log.ts";
import { chanceOf, type Kind } from "../workload.ts";
import { type Line, taskPath } from "./line.ts";
import type { Run } from "./run.ts";

export type Word = "acknowledged" | "stopped" | "refused";

/** These shares of what is called off is not stopped, and is stopped at once; the rest takes its time. */
const REFUSED = 0.12;
const AT_ONCE = 0.35;
/** Milliseconds, at the most: until it takes notice, and from then until it stops. */
const NOTICES_WITHIN_MS = 1_500;
const STOPS_WITHIN_MS = 1_500;

export interface WordsOptions {
  readonly kind: Kind;
  readonly log: SyncedLog;
  readonly line: Line;
  /** What it has of a task; undefined: nothing, and if it still comes it is not to be begun. */
  readonly callOff: (task: string) => Run | undefined;
}

/** What an agent says of attempts that were cancelled: the same each time it is told. */
export class Words {
  readonly #options: WordsOptions;
  /** By token: the first thing that was said. */
  readonly #said = new Map<string, Promise<Word>>();

  constructor(options: WordsOptions) {
    this.#options = options;
  }

  /** The answer to a cancel message. */
  async answer(ticket: Ticket): Promise<Word | "unknown"> {
    const isKnown = this.#said.has(ticket.token);
    if (!isKnown) await sleep(chanceOf(`notice ${ticket.token}`) * NOTICES_WITHIN_MS);
    const word = this.#first(ticket);
    return word === null ? "unknown" : word;
  }

  /** It was told in an answer to a call of its own. Of what it does not have it says nothing. */
  async heard(ticket: Ticket): Promise<void> {
    if (this.#said.has(ticket.token)) return;
    const word = this.#first(ticket);
    if (word !== null) await this.#tell(ticket, await word);
  }

  /** It came after it had been called off, and was not begun. */
  async notBegun(ticket: Ticket): Promise<void> {
    if (this.#said.has(ticket.token)) return;
    this.#said.set(ticket.token, this.#note(ticket, "stopped", false));
    await this.#tell(ticket, "stopped");
  }

  #first(ticket: Ticket): Promise<Word> | null {
    const known = this.#said.get(ticket.token);
    if (known !== undefined) return known;
    const run = this.#options.callOff(ticket.task);
    if (run === undefined) return null;
    const word = this.#react(ticket, run);
    this.#said.set(ticket.token, word);
    return word;
  }

  async #react(ticket: Ticket, run: Run): Promise<Word> {
    const chance = chanceOf(`word ${ticket.task}`);
    if (!run.isDone && chance < REFUSED) {
      run.hurry.abort();
      return this.#note(ticket, "refused", false);
    }
    if (run.isDone || chance < AT_ONCE) {
      run.stop.abort();
      await run.over;
      return this.#note(ticket, "stopped", false);
    }
    const word = await this.#note(ticket, "acknowledged", false);
    void this.#stopLater(ticket, run);
    return word;
  }

  async #stopLater(ticket: Ticket, run: Run): Promise<void> {
    await sleep(chanceOf(`stop ${ticket.task}`) * STOPS_WITHIN_MS);
    run.stop.abort();
    await run.over;
    await this.#note(ticket, "stopped", false);
    await this.#tell(ticket, "stopped");
  }

  async #tell(ticket: Ticket, status: Word): Promise<void> {
    const body = { token: ticket.token, status };
    const { answer } = await this.#options.line.say(taskPath(ticket, "cancellation"), body);
    if (answer.status === 200) await this.#note(ticket, status, true);
  }

  async #note({ task, attempt, token }: Ticket, status: Word, isHeard: boolean): Promise<Word> {
    const { kind: agent, log } = this.#options;
    await log.append({ type: "word", at: Date.now(), agent, task, attempt, token, status, isHeard });
    return status;
  }
}

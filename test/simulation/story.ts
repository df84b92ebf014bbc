import type { StoredEvent } from "../../packages/ops-core/src/domain/store.ts";

/** Lines of a story that somebody still reads. */
const SHORT = 60;
/** Things of a complaint that its story follows. */
const THINGS = 3;
const ID = /(?:task_)?[0-9a-f]{8}-[0-9a-f]{4}-7000-8000-[0-9a-f]{12}/g;

interface Line {
  /** Microseconds on the clock of the store. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

/** What happened in a world, to be told when something went wrong in it; by the clock that its store goes by. */
export class Story {
  readonly #lines: Line[] = [];
  readonly #now: () => number;
  readonly #origin: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#origin = now();
  }

  tell(who: string, what: string): void {
    this.#lines.push({ at: this.#now(), who, what });
  }

  /**
   * What is of interest for a complaint: everything about the things it names first and about the server, the last of it.
   * @param events what the store's log says
   */
  about(complaint: string, events: readonly StoredEvent[]): string[] {
    const ids = [...new Set(complaint.match(ID) ?? [])].slice(0, THINGS);
    const isAbout = ({ who, what }: Line) => who === "server" || ids.some((id) => what.includes(id));
    const lines = this.#with(events).filter(isAbout);
    return lines.slice(-SHORT).map((line) => this.#toText(line));
  }

  /** Everything that happened. */
  whole(events: readonly StoredEvent[]): string[] {
    return this.#with(events).map((line) => this.#toText(line));
  }

  #with(events: readonly StoredEvent[]): Line[] {
    const logged = events.map(({ type, at, stream, data }): Line => {
      return { at, who: "log", what: `${type} ${stream} ${JSON.stringify(data)}` };
    });
    return [...this.#lines, ...logged].toSorted((a, b) => a.at - b.at);
  }

  #toText({ at, who, what }: Line): string {
    const seconds = ((at - this.#origin) / 1_000_000).toFixed(3);
    return `${seconds.padStart(9)} s  ${who.padEnd(8)} ${what}`;
  }
}

import type { Rows } from "./evidence.ts";

/** One fact of a stream. */
export interface Fact {
  readonly stream: string;
  readonly sequence: number;
  readonly position: number;
  /** Microseconds. */
  readonly at: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface EventRow {
  readonly stream: string;
  readonly sequence: number;
  readonly position: number;
  readonly at: number;
  readonly entries: string;
}

/** All events, by stream, in their order. */
export class History {
  readonly streams = new Map<string, Fact[]>();
  /** Every row's number of the first event, and how many it holds, in the order of positions. */
  readonly rows: { readonly position: number; readonly count: number }[] = [];

  constructor(db: Rows) {
    for (const row of db.all<EventRow>("select * from events order by position")) this.#take(row);
  }

  #take({ stream, sequence, position, at, entries }: EventRow): void {
    const pairs = JSON.parse(entries) as [string, Fact["data"]][];
    const facts = pairs.map(
      ([type, data], i): Fact => ({ stream, sequence: sequence + i, position: position + i, at, type, data }),
    );
    const known = this.streams.get(stream);
    if (known === undefined) this.streams.set(stream, facts);
    else known.push(...facts);
    this.rows.push({ position, count: pairs.length });
  }
}

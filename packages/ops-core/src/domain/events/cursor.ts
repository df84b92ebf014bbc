import type { EventStore, StoredEvent } from "../store.ts";
import type { Selection } from "./selection.ts";

/** Why a place in the events is none: what follows it may be gone (`expired`), or it is not one of this store (`foreign`). */
export type Lost = "expired" | "foreign";

/** Where to begin: what reading goes by, a position or for a selection of one stream a sequence. */
export interface Start {
  readonly after: number;
  /** Set when the place asked for is lost; then it is the first event kept. */
  readonly lost: Lost | null;
}

const CURSOR = /^([0-9a-z]{1,11})-([1-9][0-9]{0,15})$/;
const RADIX = 36;
const BEGINNING: Start = { after: 0, lost: null };

/**
 * Names an event by its time and position. Only an event that was in the same log has both: not one of another store,
 * and none that was written in the place of one that a restored copy does not hold.
 */
export function cursorOf({ at, position }: Pick<StoredEvent, "at" | "position">): string {
  return `${at.toString(RADIX)}-${position}`;
}

/** The place after the event that `cursor` names, in any selection. */
export async function startAtCursor(events: EventStore, selection: Selection, cursor: string): Promise<Start> {
  const [, at = "", digits = "0"] = CURSOR.exec(cursor) ?? [];
  const position = Number(digits);
  if (position === 0) return { after: 0, lost: "foreign" };
  const [found] = await events.list(position - 1, 1);
  if (found === undefined) return { after: 0, lost: "foreign" };
  if (found.position !== position) return { after: 0, lost: "expired" };
  if (found.at.toString(RADIX) !== at) return { after: 0, lost: "foreign" };
  return { after: await readingNumber(events, selection, position, "positions"), lost: null };
}

/** The place after an event known by its number alone; 0 = the beginning. It is believed to be one of this store. */
export async function startAtNumber(events: EventStore, selection: Selection, number: number): Promise<Start> {
  if (number === 0) return BEGINNING;
  const isSequence = selection.counts === "sequences" && selection.stream !== null;
  const [next] = isSequence
    ? await events.list(number - 1, 1, selection.stream ?? undefined)
    : await events.list(number - 1, 1);
  if (next === undefined) return { after: 0, lost: "foreign" };
  if ((isSequence ? next.sequence : next.position) > number + 1) return { after: 0, lost: "expired" };
  return { after: await readingNumber(events, selection, number, selection.counts), lost: null };
}

/** What reading goes by: sequences where one stream is read, whatever its caller counts. */
export async function readingNumber(
  events: EventStore,
  { stream }: Selection,
  number: number,
  counts: Selection["counts"],
): Promise<number> {
  return stream === null || counts === "sequences" ? number : events.sequenceAt(stream, number);
}

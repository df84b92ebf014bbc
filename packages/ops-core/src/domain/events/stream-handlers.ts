import { type EventStreamQuery, operations } from "@opspawn/contract";
import type { Context } from "../context.ts";
import type { EventStore, Store } from "../store.ts";
import { type Start, startAtCursor, startAtNumber } from "./cursor.ts";
import type { EventStreams } from "./event-streams.ts";
import type { LiveStream } from "./live-stream.ts";
import type { Selection } from "./selection.ts";
import { selectionOf, sessionTarget, type Target, taskTarget } from "./targets.ts";

export interface StreamInput {
  readonly params: { readonly sessionId?: string; readonly taskId?: string };
  readonly query: Partial<EventStreamQuery>;
  /** The header `Last-Event-ID`. */
  readonly lastEventId: string | undefined;
}

/** Begins a stream; null = it had been told to its end. Authorisation has happened; the input has the declared form. */
export type StreamHandler = (context: Context, input: StreamInput) => Promise<LiveStream | null>;

/** By the id of the operation that is also served as a stream. */
export type StreamHandlers = Readonly<Record<string, StreamHandler>>;

export function createStreams(store: Store, streams: EventStreams): StreamHandlers {
  const open = (context: Context, input: StreamInput, { selection, ended }: Followed) =>
    streams.open({
      owner: context.actor.id,
      selection,
      start: (events) => startOf(events, selection, input),
      ended,
      signal: context.signal,
    });
  return {
    [operations.events.list.id]: async (context, input) =>
      open(context, input, { selection: selectionOf(input.query), ended: null }),
    [operations.sessions.events.id]: async (context, input) =>
      open(context, input, await sessionTarget(store, input.params.sessionId ?? "", input.query.type)),
    [operations.tasks.events.id]: async (context, input) =>
      open(context, input, await taskTarget(store, input.params.taskId ?? "", input.query.type)),
  };
}

type Followed = { readonly selection: Selection; readonly ended: Target["ended"] | null };

/** The header is newer than the address, which a browser sends unchanged with each reconnection. */
function startOf(events: EventStore, selection: Selection, { query, lastEventId }: StreamInput): Promise<Start> {
  const cursor = lastEventId || query.lastEventId || "";
  return cursor === "" ? startAtNumber(events, selection, query.after ?? 0) : startAtCursor(events, selection, cursor);
}

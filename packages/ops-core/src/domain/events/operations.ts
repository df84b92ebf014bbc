import {
  type EventView,
  formatTime,
  type OperationInput,
  type OperationOutput,
  type operations,
} from "@opspawn/contract";
import type { Context } from "../context.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import { readWait } from "../request-fields.ts";
import type { StoredEvent } from "../store.ts";
import { readingNumber } from "./cursor.ts";
import { EventFeed, turn } from "./event-feed.ts";
import { type Selection, wakingKey } from "./selection.ts";
import { selectionOf, sessionTarget, taskTarget } from "./targets.ts";

type Page = OperationOutput<typeof operations.events.list>;
type Paging = Pick<OperationInput<typeof operations.events.list>["query"], "after" | "limit" | "wait">;

/** Looks without finding anything wanted after which a request is answered all the same. */
const LOOKS = 50;

export function eventHandlers(ports: Ports): NounHandlers<"events"> {
  return { list: async (context, { query }) => list(ports, context, selectionOf(query), query) };
}

/** Errors: `session_not_found`. */
export async function listOfSession(
  ports: Ports,
  context: Context,
  { params, query }: OperationInput<typeof operations.sessions.events>,
): Promise<Page> {
  const { selection } = await sessionTarget(ports.store, params.sessionId, query.type);
  return list(ports, context, selection, query);
}

/** Errors: `task_not_found`. */
export async function listOfTask(
  ports: Ports,
  context: Context,
  { params, query }: OperationInput<typeof operations.tasks.events>,
): Promise<Page> {
  const { selection } = await taskTarget(ports.store, params.taskId, query.type);
  return list(ports, context, selection, query);
}

async function list(ports: Ports, context: Context, selection: Selection, query: Paging): Promise<Page> {
  const { store, waiters } = ports;
  const ms = readWait(query.wait, ["query", "wait"]);
  const wait = waiters.open([wakingKey(selection)], ms, context.signal, context.actor.agentId);
  try {
    const after = await readingNumber(store.events, selection, query.after, selection.counts);
    const feed = new EventFeed(store.events, selection, after);
    for (let looks = 1; ; looks += 1) {
      const { events, isAtEnd } = await feed.take(query.limit);
      const isOver = events.length > 0 || looks >= LOOKS || (isAtEnd && !(await wait.next()));
      if (isOver) return { items: events.map(eventView), next: numberOf(selection, feed.last) ?? query.after };
      if (isAtEnd) looks = 0;
      else await turn();
    }
  } finally {
    wait.close();
  }
}

function numberOf({ counts }: Selection, last: StoredEvent | null): number | undefined {
  return counts === "positions" ? last?.position : last?.sequence;
}

export function eventView(event: StoredEvent): EventView {
  return { ...event, at: formatTime(event.at) };
}

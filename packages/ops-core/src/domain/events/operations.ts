import { type EventView, formatTime } from "@opspawn/contract";
import type { NounHandlers, Ports } from "../ports.ts";
import { readWait } from "../request-fields.ts";
import type { StoredEvent } from "../store.ts";
import { ANY_STREAM, streamKey } from "../waiters.ts";

export function eventHandlers({ store, waiters }: Ports): NounHandlers<"events"> {
  return {
    async list(context, { query }) {
      const { after, limit, stream } = query;
      const ms = readWait(query.wait, ["query", "wait"]);
      const wait = waiters.open(
        [stream === undefined ? ANY_STREAM : streamKey(stream)],
        ms,
        context.signal,
        context.actor.agentId,
      );
      try {
        let events: readonly StoredEvent[];
        do events = await store.events.list(after, limit, stream);
        while (events.length === 0 && (await wait.next()));
        const last = events.at(-1);
        const next = stream === undefined ? last?.position : last?.sequence;
        return { items: events.map(eventView), next: next ?? after };
      } finally {
        wait.close();
      }
    },
  };
}

function eventView(event: StoredEvent): EventView {
  return { ...event, at: formatTime(event.at) };
}

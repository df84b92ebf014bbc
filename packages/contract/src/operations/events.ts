import { z } from "zod";
import { operation } from "../operation.ts";
import { id, jsonObject, page, time, wait } from "./common.ts";

/** A fact that was committed. `position` numbers all events, `sequence` those of one `stream`, both without gaps. */
const event = z.object({
  position: z.number().int(),
  /** A session, a stand-alone task or an agent. */
  stream: id,
  sequence: z.number().int(),
  /** `noun.verb`, such as `task.completed`. */
  type: z.string(),
  at: time,
  data: jsonObject,
});
export type EventView = z.infer<typeof event>;

export const eventOperations = {
  list: operation({
    id: "events.list",
    summary: "Events after a position, of one stream or of all; `wait=20s` waits for the first.",
    method: "GET",
    path: "/v1/opscore/events",
    query: z.object({
      limit: page.limit,
      stream: z.string().max(200).optional(),
      /** A position (a `sequence` when `stream` is given); events after it are answered. */
      after: z.coerce.number().int().min(0).default(0),
      wait: wait.optional(),
    }),
    output: z.object({ items: z.array(event), next: z.number().int() }),
    permission: { scope: "events:read" },
    idempotency: "read",
  }),
};

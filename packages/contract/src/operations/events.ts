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

/** The number of an event; those after it are answered. */
const after = z.coerce.number().int().min(0).default(0);
/** Only events whose type begins like this: `task.`, `attempt.failed`. */
const type = z.string().min(1).max(100).optional();

const filters = {
  /** Of this session, stand-alone task or agent. `after` is a `sequence` then. */
  stream: z.string().max(200).optional(),
  /** Of this session, and of its tasks. */
  session: id.optional(),
  /** Of this agent, and of the attempts it was given. */
  agent: id.optional(),
  type,
};
const paging = { limit: page.limit, after, wait: wait.optional() };
const resuming = {
  after,
  /** For clients that cannot send the header `Last-Event-ID`, which wins. */
  lastEventId: z.string().max(200).optional(),
};

/** `next` is the number to go on after; it may move on although no event was found, when many were looked at. */
const events = z.object({ items: z.array(event), next: z.number().int() });

const streamQuery = z.object({ ...resuming, ...filters });
/** What a stream can be asked for; those of sessions and tasks take a part of it. */
export type EventStreamQuery = z.infer<typeof streamQuery>;

const ofOne = {
  query: z.object({ ...paging, type }),
  output: events,
  permission: { scope: "events:read" },
  stream: { query: z.object({ ...resuming, type }), message: event },
  idempotency: "read",
} as const;

export const eventOperations = {
  list: operation({
    id: "events.list",
    summary: "Events after a position, of one stream or of all; `wait=20s` waits for the first. Also as a stream.",
    method: "GET",
    path: "/v1/opscore/events",
    query: z.object({ ...paging, ...filters }),
    output: events,
    permission: { scope: "events:read" },
    stream: { query: streamQuery, message: event },
    idempotency: "read",
  }),
};

/** `sessions.events` */
export const sessionEvents = operation({
  ...ofOne,
  id: "sessions.events",
  summary: "Events of a session and its tasks. As a stream it ends with the session.",
  method: "GET",
  path: "/v1/opscore/sessions/{sessionId}/events",
  params: z.object({ sessionId: id }),
  errors: ["session_not_found"],
});

/** `tasks.events` */
export const taskEvents = operation({
  ...ofOne,
  id: "tasks.events",
  summary: "Events of a task, numbered as in the stream of its session. As a stream it ends with the task.",
  method: "GET",
  path: "/v1/opscore/tasks/{taskId}/events",
  params: z.object({ taskId: id }),
  errors: ["task_not_found"],
});

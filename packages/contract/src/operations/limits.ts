import { z } from "zod";
import { operation } from "../operation.ts";
import { listOf, page, time } from "./common.ts";

const limit = z.object({
  /** As in a workflow: tasks that run at once, or that begin within some time. */
  kind: z.enum(["concurrency", "rateLimit"]),
  key: z.string(),
  limit: z.number().int(),
  /** The time that a rate's limit is for, such as `1m`; null for `concurrency`. */
  per: z.string().nullable(),
  /** Permits that are held, draining ones included; for a rate, tasks that began within `per`. */
  held: z.number().int(),
  /** Of these, held by attempts that were given up and may still be at work. */
  draining: z.number().int(),
  /** Tasks that wait for it, or for somebody who could do them. */
  waiting: z.number().int(),
  /** When a rate that is used up lets the next task begin. */
  nextPermitAt: time.nullable(),
});
export type LimitView = z.infer<typeof limit>;

export const limitOperations = {
  list: operation({
    id: "limits.list",
    summary: "List the concurrency and rate limits that are in use, by kind and key.",
    method: "GET",
    path: "/v1/opscore/limits",
    query: z.object({ ...page, key: z.string().max(200).optional() }),
    output: listOf(limit),
    permission: { scope: "tasks:read" },
    idempotency: "read",
  }),
};

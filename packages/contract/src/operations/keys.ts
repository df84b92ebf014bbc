import { z } from "zod";
import type { Scope } from "../operation.ts";
import { operation } from "../operation.ts";
import { id, listOf, page, time } from "./common.ts";

const scopes = z
  .array(z.custom<Scope | "admin">((value) => typeof value === "string"))
  .min(1)
  .max(50);

const key = z.object({
  keyId: id,
  name: z.string(),
  scopes,
  agentId: id.nullable(),
  createdAt: time,
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
});
export type KeyView = z.infer<typeof key>;

export const keyOperations = {
  create: operation({
    id: "keys.create",
    summary: "Create a key; its secret is shown once.",
    method: "POST",
    path: "/v1/opscore/keys",
    body: z.strictObject({
      name: z.string().min(1).max(100),
      /** `admin` covers everything. */
      scopes,
      agentId: id.optional(),
      /** Such as `30d`; absent = until revoked. */
      expiresIn: z.string().max(20).optional(),
    }),
    output: z.object({ key, secret: z.string() }),
    status: 201,
    errors: ["agent_not_found"],
    permission: { scope: "keys:write" },
    idempotency: "natural",
  }),
  list: operation({
    id: "keys.list",
    summary: "List keys, newest first, without secrets.",
    method: "GET",
    path: "/v1/opscore/keys",
    query: z.object(page),
    output: listOf(key),
    permission: { scope: "keys:read" },
    idempotency: "read",
  }),
  revoke: operation({
    id: "keys.revoke",
    summary: "Revoke a key; it is refused from now on.",
    method: "DELETE",
    path: "/v1/opscore/keys/{keyId}",
    params: z.object({ keyId: id }),
    output: key,
    errors: ["key_not_found"],
    permission: { scope: "keys:write" },
    idempotency: "natural",
  }),
};

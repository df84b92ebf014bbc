import { formatTime, type KeyView, type OperationInput, OpspawnError, type operations } from "@opspawn/contract";
import { needAgent } from "../agents/view.ts";
import { timeOrNull } from "../blocked-view.ts";
import { DAY } from "../clock.ts";
import { type Actor, isAdmin } from "../context.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import { invalidField, readDuration } from "../request-fields.ts";
import type { ApiKey } from "./key.ts";
import { keyRecord } from "./minting.ts";
import { AGENT_SCOPES, isScope, SCOPES } from "./scopes.ts";

const LIFETIME_MAX = 3_650 * DAY;

type KeyBody = Pick<OperationInput<typeof operations.keys.create>["body"], "name" | "scopes">;

export function keyHandlers({ store, clock, keys }: Ports): NounHandlers<"keys"> {
  return {
    async create(context, { body }) {
      const { name, expiresIn } = body;
      const agentId = body.agentId ?? null;
      const scopes = checkScopes(context.actor, body, agentId);
      const lifetime =
        expiresIn === undefined ? null : readDuration(expiresIn, ["body", "expiresIn"], LIFETIME_MAX, "3650d");
      if (agentId !== null) await needAgent(store, agentId);
      const createdAt = clock.now();
      const expiresAt = lifetime === null ? null : createdAt + lifetime;
      const minted = keys.mint();
      const key = keyRecord(minted, { name, scopes, agentId, createdAt, expiresAt });
      await store.keys.create(key);
      return { key: keyView(key), secret: minted.text };
    },
    async list(_context, { query }) {
      const { items, nextCursor } = await store.keys.list(query);
      return { items: items.map(keyView), nextCursor };
    },
    async revoke(_context, { params }) {
      const key = await store.keys.revoke(params.keyId);
      if (key === null) throw new OpspawnError("key_not_found", `Key not found: ${params.keyId}`);
      keys.forget();
      return keyView(key);
    },
  };
}

function keyView(key: ApiKey): KeyView {
  return {
    keyId: key.id,
    name: key.name,
    scopes: [...key.scopes],
    agentId: key.agentId,
    createdAt: formatTime(key.createdAt),
    expiresAt: timeOrNull(key.expiresAt),
    revokedAt: timeOrNull(key.revokedAt),
  };
}

/** Known words only, nothing an agent's key could never use, and no more than the caller has. */
function checkScopes(actor: Actor, { name, scopes }: KeyBody, agentId: string | null) {
  for (const [at, scope] of scopes.entries()) {
    const loc = ["body", "scopes", at];
    if (!isScope(scope)) throw invalidField(loc, `is no scope; the scopes are ${SCOPES.join(", ")}`);
    if (agentId !== null && !(AGENT_SCOPES as readonly string[]).includes(scope)) {
      throw invalidField(loc, `is not for an agent's key, which may have ${AGENT_SCOPES.join(", ")}`);
    }
    if (!isAdmin(actor) && !actor.scopes.includes(scope)) {
      throw new OpspawnError("forbidden", `A key cannot give the scope \`${scope}\`, which it does not have itself.`);
    }
    if (scope === "approvals:write" && !isAdmin(actor) && name !== actor.name) {
      const msg = `This key gives \`approvals:write\` to keys of its own name only: names say who may approve.`;
      throw new OpspawnError("forbidden", msg);
    }
  }
  return [...new Set(scopes)];
}

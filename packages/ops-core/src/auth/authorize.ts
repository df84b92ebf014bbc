import { type Operation, OpspawnError } from "@opspawn/contract";
import { type Actor, isAdmin, type OpenGroup } from "../domain/context.ts";

/** What is asked for: an operation, as far as the decision needs it. */
export type Asked = Pick<Operation, "id" | "permission">;

/** What it is asked of. */
export interface Resource {
  /** The agent in the path, or the one that has the task. */
  readonly agentId?: string | null | undefined;
}

/** The words of the originals' 401 answers; their clients' tests compare them. */
const MISSING = "Authorization header missing";
export const INVALID = "Invalid authentication credentials";

/**
 * Decides whether `actor` may do this. The one place that does. Where a fencing token is a credential as well, the
 * decision falls when the token is looked at (see `guard.ts`).
 * @throws OpspawnError `unauthenticated` for callers without a key, else `forbidden`
 */
export function authorize(actor: Actor, asked: Asked, resource: Resource): void {
  const refusal = asked.permission.token === true ? null : refusalOf(actor, asked, resource);
  if (refusal !== null) throw refusal;
}

/** Why the caller's own credential does not suffice; null when it does. */
export function refusalOf(actor: Actor, asked: Asked, resource: Resource): OpspawnError | null {
  const { permission } = asked;
  if (actor.kind === "anonymous") {
    const isOpen = permission.anonymous !== undefined && actor.open.includes(groupOf(asked.id));
    return isOpen ? null : new OpspawnError("unauthenticated", MISSING);
  }
  if (isAdmin(actor)) return null;
  if (!actor.scopes.includes(permission.scope)) {
    return new OpspawnError("forbidden", `This needs the scope \`${permission.scope}\`, which the key does not have.`);
  }
  return actor.agentId === null ? null : agentRefusal(actor.agentId, asked, resource);
}

function agentRefusal(agentId: string, { permission }: Asked, resource: Resource): OpspawnError | null {
  if (permission.agent === "any") return null;
  if (permission.agent === undefined) return new OpspawnError("forbidden", "An agent's own key cannot do this.");
  if (resource.agentId === agentId) return null;
  return new OpspawnError("forbidden", `This key speaks for agent ${agentId} only.`);
}

/** The group that opens an operation to callers without a key, named by its noun. */
function groupOf(operationId: string): OpenGroup {
  return operationId.startsWith("tasks.") ? "tasks" : "agentkit";
}

import { type Operation, OpspawnError } from "@opspawn/contract";
import { type Actor, isAdmin, type OpenGroup } from "../domain/context.ts";

/** What is asked for: an operation, as far as the decision needs it. */
export type Asked = Pick<Operation, "id" | "permission">;

/** What it is asked of. */
export interface Resource {
  /** The agent in the path. */
  readonly agentId?: string | undefined;
}

/** The words of the originals' 401 answers; their clients' tests compare them. */
export const MISSING = "Authorization header missing";
export const INVALID = "Invalid authentication credentials";

/**
 * Decides whether `actor` may do this. The one place that does.
 * @throws OpspawnError `unauthenticated` for callers without a key, else `forbidden`
 */
export function authorize(actor: Actor, asked: Asked, resource: Resource): void {
  const { permission } = asked;
  // The fencing token in the body is the credential, and the store compares it in the same transaction.
  if (permission.token === true) return;
  if (actor.kind === "anonymous") {
    if (permission.anonymous !== undefined && actor.open.includes(groupOf(asked.id))) return;
    throw new OpspawnError("unauthenticated", MISSING);
  }
  if (isAdmin(actor)) return;
  if (!actor.scopes.includes(permission.scope)) {
    throw new OpspawnError("forbidden", `This needs the scope \`${permission.scope}\`, which the key does not have.`);
  }
  if (actor.agentId !== null) authorizeAgent(actor.agentId, asked, resource);
}

function authorizeAgent(agentId: string, { permission }: Asked, resource: Resource): void {
  if (permission.agent === "any") return;
  if (permission.agent === undefined) throw new OpspawnError("forbidden", "An agent's own key cannot do this.");
  if (resource.agentId !== agentId) {
    throw new OpspawnError("forbidden", `This key speaks for agent ${agentId} only.`);
  }
}

/** The group that opens an operation to callers without a key, named by its noun. */
function groupOf(operationId: string): OpenGroup {
  return operationId.startsWith("tasks.") ? "tasks" : "agentkit";
}

import { type Operation, operations } from "@opspawn/contract";
import { isScope } from "../domain/auth/scopes.ts";
import type { Context } from "../domain/context.ts";
import type { Handlers } from "../domain/operations.ts";
import { authorize } from "./authorize.ts";

type AnyHandler = (context: Context, input: AnyInput) => Promise<unknown>;
interface AnyInput {
  readonly params: { readonly agentId?: string };
}

/** Sees every call of every operation: for spans and audit. It must pass on what `run` answers or throws. */
export type Around = <T>(operation: Operation, context: Context, run: () => Promise<T>) => Promise<T>;

/**
 * Puts authorisation, and whatever else must see every call, around every operation: once, here, so that no transport
 * can forget it. An operation that is declared without a sound permission, or has no handler, stops the start.
 */
export function guardOperations(handlers: Handlers, around?: Around): Handlers {
  const guarded: Record<string, Record<string, AnyHandler>> = {};
  for (const [noun, verbs] of Object.entries(operations)) {
    guarded[noun] = {};
    for (const [verb, operation] of Object.entries(verbs as Record<string, Operation>)) {
      const handler = (handlers as unknown as Record<string, Record<string, AnyHandler>>)[noun]?.[verb];
      if (handler === undefined) throw new Error(`operation ${operation.id} has no handler`);
      guarded[noun][verb] = guardHandler(operation, handler, around);
    }
  }
  return guarded as unknown as Handlers;
}

function guardHandler(operation: Operation, handler: AnyHandler, around: Around | undefined): AnyHandler {
  checkDeclaration(operation);
  return async (context, input) => {
    authorize(context.actor, operation, { agentId: input.params.agentId });
    return around === undefined ? handler(context, input) : around(operation, context, () => handler(context, input));
  };
}

/** @throws Error when an operation says not, or not soundly, who may do it */
export function checkDeclaration(operation: Pick<Operation, "id" | "permission" | "path" | "params">): void {
  const { id, permission, path, params } = operation;
  if (permission === undefined || !isScope(permission.scope)) throw new Error(`operation ${id} declares no permission`);
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const declared = Object.keys(params?.shape ?? {});
  if (named.length !== declared.length || named.some((name) => name === undefined || !declared.includes(name))) {
    throw new Error(`operation ${id} has the path ${path}, but the parameters ${declared.join(", ")}`);
  }
  if (permission.agent === "self" && permission.token !== true && !declared.includes("agentId")) {
    throw new Error(`operation ${id} asks for the agent itself, but its path names none`);
  }
}

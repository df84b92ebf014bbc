import { allOperations, type Operation, OpspawnError, operations } from "@opspawn/contract";
import { isScope } from "../domain/auth/scopes.ts";
import type { Context } from "../domain/context.ts";
import type { StreamHandler, StreamHandlers } from "../domain/events/stream-handlers.ts";
import type { Handlers } from "../domain/operations.ts";
import { ForeignToken } from "../domain/tasks/foreign-token.ts";
import { authorize, refusalOf } from "./authorize.ts";

type AnyHandler = (context: Context, input: AnyInput) => Promise<unknown>;
interface AnyInput {
  readonly params: { readonly agentId?: string; readonly taskId?: string };
}

/** Sees every call of every operation: for spans and audit. It must pass on what `run` answers or throws. */
export type Around = <T>(operation: Operation, context: Context, run: () => Promise<T>) => Promise<T>;

export interface GuardOptions {
  /** The agent that has a task, whose own key may speak for it. */
  readonly agentOfTask: (taskId: string) => Promise<string | null>;
  readonly around?: Around;
}

/**
 * Puts authorisation, and whatever else must see every call, around every operation: once, here, so that no transport
 * can forget it. An operation that is declared without a sound permission, or has no handler, stops the start.
 */
export function guardOperations(handlers: Handlers, options: GuardOptions): Handlers {
  const guarded: Record<string, Record<string, AnyHandler>> = {};
  for (const [noun, verbs] of Object.entries(operations)) {
    guarded[noun] = {};
    for (const [verb, operation] of Object.entries(verbs as Record<string, Operation>)) {
      checkDeclaration(operation);
      const handler = (handlers as unknown as Record<string, Record<string, AnyHandler>>)[noun]?.[verb];
      if (handler === undefined) throw new Error(`operation ${operation.id} has no handler`);
      guarded[noun][verb] = observed(operation, authorised(operation, handler, options), options.around);
    }
  }
  return guarded as unknown as Handlers;
}

/** The same for operations that are also served as streams: what is guarded is their beginning. */
export function guardStreams(handlers: StreamHandlers, around?: Around): StreamHandlers {
  const streamed = allOperations.filter(({ stream }) => stream !== undefined);
  return Object.fromEntries(streamed.map((operation) => [operation.id, guardStream(operation, handlers, around)]));
}

function guardStream(operation: Operation, handlers: StreamHandlers, around: Around | undefined): StreamHandler {
  const handler = handlers[operation.id];
  if (handler === undefined) throw new Error(`operation ${operation.id} has no stream`);
  const begin: StreamHandler = async (context, input) => {
    authorize(context.actor, operation, {});
    return handler(context, input);
  };
  if (around === undefined) return begin;
  return (context, input) => around(operation, context, () => begin(context, input));
}

function authorised(operation: Operation, handler: AnyHandler, options: GuardOptions): AnyHandler {
  if (operation.permission.token === true) return byToken(operation, handler, options);
  return async (context, input) => {
    authorize(context.actor, operation, input.params);
    return handler(context, input);
  };
}

/**
 * A fencing token of that very task is a credential; only its store can tell. A caller whose token is none, and whose
 * key does not suffice either, learns no more than that.
 */
function byToken(operation: Operation, handler: AnyHandler, { agentOfTask }: GuardOptions): AnyHandler {
  return async (context, input) => {
    try {
      return await handler(context, input);
    } catch (error) {
      const isForeign = error instanceof ForeignToken;
      if (!isForeign && !(error instanceof OpspawnError && error.code === "task_not_found")) throw error;
      const agentId = isForeign ? await agentOfTask(input.params.taskId ?? "") : null;
      throw refusalOf(context.actor, operation, { agentId }) ?? error;
    }
  };
}

function observed(operation: Operation, handler: AnyHandler, around: Around | undefined): AnyHandler {
  if (around === undefined) return handler;
  return (context, input) => around(operation, context, () => handler(context, input));
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

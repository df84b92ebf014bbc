import type { ServerResponse } from "node:http";
import { type JsonValue, type Operation, stringifyJson } from "@opspawn/contract";
import type { Context } from "../domain/context.ts";
import type { Handlers } from "../domain/operations.ts";
import { invalidField } from "../domain/request-fields.ts";
import type { Call } from "./call.ts";
import type { Gate } from "./gate.ts";
import { readJson } from "./json-body.ts";
import type { RequestContext } from "./request-context.ts";
import { readPart } from "./request-input.ts";

type AnyHandler = (context: Context, input: Input) => Promise<JsonValue>;

interface Input {
  readonly params: { readonly agentId?: string };
  readonly query: unknown;
  readonly body: unknown;
}

interface Output {
  /** JSON, unless it is written in another way. */
  readonly text: string;
  /** It is what an earlier request was answered. */
  readonly replayed: boolean;
}

/** Parse, authenticate, call; whatever is thrown becomes the answer. */
export type Run = (call: Call, response: ServerResponse) => Promise<Output>;

export function handlerOf(handlers: Handlers, { id }: Operation): AnyHandler {
  const [noun = "", verb = ""] = id.split(".");
  const handler = (handlers as unknown as Record<string, Record<string, AnyHandler>>)[noun]?.[verb];
  if (handler === undefined) throw new Error(`operation ${id} has no handler`);
  return handler;
}

/** @param write makes the text of an answer. Default: JSON. */
export function runner(
  operation: Operation,
  handler: AnyHandler,
  gate: Gate,
  write: (answer: JsonValue) => string = stringifyJson,
): Run {
  const read = inputReader(operation);
  const answer = async (context: RequestContext, call: Call): Promise<JsonValue> => {
    try {
      return await handler(context, read(call));
    } catch (error) {
      if (operation.permission.token === true) gate.failed(context, call, error);
      throw error;
    }
  };
  return async (call, response) => {
    const entered = gate.enter(call, response, operation);
    const context = entered instanceof Promise ? await entered : entered;
    const output = await answer(context, call);
    return { text: write(output), replayed: context.replayed };
  };
}

function inputReader({ method, params, query, body }: Operation): (call: Call) => Input {
  const strictQuery = query?.strict();
  return (call) => ({
    params: params === undefined ? {} : readPart(params, "path", call.params),
    query: strictQuery === undefined ? noQuery(call) : readPart(strictQuery, "query", call.query),
    body: body === undefined ? noBody(method, call) : readPart(body, "body", readJson(call)),
  });
}

function noQuery({ query }: Call): Record<string, never> {
  const [name] = Object.keys(query as object);
  if (name !== undefined) throw invalidField(["query", name], "this request takes no such parameter", "unknown_field");
  return {};
}

/** What an operation without input may be sent: nothing, or an empty object. Reads have no body to look at. */
function noBody(method: Operation["method"], call: Call): undefined {
  if (method === "GET") return undefined;
  const body = readJson(call);
  const isEmpty = body === undefined || (typeof body === "object" && body !== null && Object.keys(body).length === 0);
  if (!isEmpty) throw invalidField(["body"], "this request takes no body", "unknown_field");
  return undefined;
}

import type { z } from "zod";
import type { ErrorCode } from "./errors.ts";

/** What a key must be allowed to do. `self` means: the agent named in the path, speaking for itself. */
export type Scope =
  | "agents:read"
  | "agents:write"
  | "agents:report"
  | "workflows:read"
  | "workflows:write"
  | "sessions:read"
  | "sessions:write"
  | "schedules:read"
  | "schedules:write"
  | "approvals:read"
  | "approvals:write"
  | "tasks:read"
  | "tasks:write"
  | "tasks:result"
  | "tools:read"
  | "tools:write"
  | "tools:invoke"
  | "messages:send"
  | "deliveries:read"
  | "events:read"
  | "metrics:read"
  | "keys:read"
  | "keys:write";

/** Who may call an operation, declared where the operation is; a route without one does not boot. */
export interface Permission {
  readonly scope: Scope;
  /** An agent's own key suffices when the path's `agentId` (or the task's agent) is that agent. */
  readonly agent?: "self" | "any";
  /** On a loopback bind, a caller without any key may do this (semantics: registration and identity). */
  readonly anonymous?: "loopback";
  /** The fencing token in the body is itself a sufficient credential. */
  readonly token?: true;
}

/** How an operation is served to a client that accepts `text/event-stream`: one message after the other, without an end. */
export interface Streamed {
  readonly query: z.ZodObject;
  /** The data of a message. */
  readonly message: z.ZodType;
}

type Fields = z.ZodObject | undefined;
type Body = z.ZodType | undefined;
type Parsed<T, Else> = T extends z.ZodType ? z.infer<T> : Else;

/** One thing the platform can do, declared once and served by every transport. */
export interface Operation<
  P extends Fields = Fields,
  Q extends Fields = Fields,
  B extends Body = Body,
  O extends z.ZodType = z.ZodType,
> {
  /** `noun.verb`. */
  readonly id: string;
  readonly summary: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `{name}` for each field of `params`. */
  readonly path: string;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly output: O;
  /** Status of a success. */
  readonly status: 200 | 201 | 202;
  /** Codes this operation may answer beside those every operation may. */
  readonly errors: readonly ErrorCode[];
  readonly permission: Permission;
  /** Set when it is also served as a stream; its JSON is a page of the same things. */
  readonly stream: Streamed | undefined;
  /** `key`: honours `Idempotency-Key`. `natural`: repeating it changes nothing more. `read`: changes nothing. */
  readonly idempotency: "key" | "natural" | "read";
}

export interface OperationInput<Op extends Operation> {
  readonly params: Parsed<Op["params"], Record<string, never>>;
  readonly query: Parsed<Op["query"], Record<string, never>>;
  readonly body: Parsed<Op["body"], undefined>;
}

/** What a caller writes: fields that have defaults may be left out. */
export interface OperationRequest<Op extends Operation> {
  readonly params: Parsed<Op["params"], Record<string, never>>;
  readonly query: { [K in keyof Parsed<Op["query"], object>]?: Parsed<Op["query"], object>[K] | undefined };
  readonly body: Op["body"] extends z.ZodType ? z.input<Op["body"]> : undefined;
}

export type OperationOutput<Op extends Operation> = z.infer<Op["output"]>;

type Declared<P extends Fields, Q extends Fields, B extends Body, O extends z.ZodType> = Omit<
  Operation<P, Q, B, O>,
  "params" | "query" | "body" | "status" | "errors" | "stream"
> & { params?: P; query?: Q; body?: B; status?: 200 | 201 | 202; errors?: readonly ErrorCode[]; stream?: Streamed };

/** Declares an operation; absent parts get their defaults (status 200, no further errors, no stream). */
export function operation<
  O extends z.ZodType,
  P extends Fields = undefined,
  Q extends Fields = undefined,
  B extends Body = undefined,
>(declared: Declared<P, Q, B, O>): Operation<P, Q, B, O> {
  return {
    ...declared,
    params: declared.params as P,
    query: declared.query as Q,
    body: declared.body as B,
    status: declared.status ?? 200,
    errors: declared.errors ?? [],
    stream: declared.stream,
  };
}

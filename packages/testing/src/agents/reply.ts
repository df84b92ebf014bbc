import type { JsonValue } from "@opspawn/contract";

/** When an answer comes, where it is not the agent's usual time: such as `3s`. */
export interface ReplyOptions {
  readonly takes?: string;
}

export interface FailureOptions extends ReplyOptions {
  /** Default: `agent_error`. */
  readonly code?: string;
  /** False: it will not be tried again. Default: as the step's retry policy says. */
  readonly retryable?: boolean;
}

export interface DeathOptions {
  /** How long it works before it dies. Default: `0s`. */
  readonly after?: string;
  /** How long until it is there again. Default: it stays dead. */
  readonly back?: string;
}

/** What an agent or a tool does with one task. */
export type Behaviour =
  | { readonly kind: "result"; readonly result: JsonValue }
  | { readonly kind: "failure"; readonly message: string; readonly code: string; readonly retryable?: boolean }
  | { readonly kind: "status"; readonly status: number; readonly retryAfter: number | null }
  | { readonly kind: "silence" }
  | { readonly kind: "lost"; readonly result: JsonValue }
  | { readonly kind: "death"; readonly after: string; readonly back: string | null };

/** Something else than a plain result; made by `reply`. */
export class Reply {
  readonly behaviour: Behaviour;
  /** Null = its usual time. */
  readonly takes: string | null;

  constructor(behaviour: Behaviour, takes?: string | null) {
    this.behaviour = behaviour;
    this.takes = takes ?? null;
  }
}

/** The answers that a script or a handler may give. */
export const reply = {
  /** A result, as a handler gives it by returning it. */
  result: (result: JsonValue, { takes }: ReplyOptions = {}): Reply => new Reply({ kind: "result", result }, takes),

  /** It says that the task failed, as a handler does by throwing. */
  failure: (message: string, { takes, code = "agent_error", retryable }: FailureOptions = {}): Reply =>
    new Reply({ kind: "failure", message, code, ...(retryable === undefined ? {} : { retryable }) }, takes),

  /** It answers with another HTTP status, such as 500 or 429. `retryAfter` is in seconds. */
  status: (status: number, { takes, retryAfter = null }: ReplyOptions & { retryAfter?: number | null } = {}): Reply =>
    new Reply({ kind: "status", status, retryAfter }, takes),

  /** It takes the task and is never heard of again: the attempt's timeout decides. */
  silence: (): Reply => new Reply({ kind: "silence" }),

  /** It does the task, and the connection is cut before its answer arrives. */
  lost: (result: JsonValue, { takes }: ReplyOptions = {}): Reply => new Reply({ kind: "lost", result }, takes),

  /** Its process dies with all that it has in hand. */
  death: ({ after = "0s", back }: DeathOptions = {}): Reply => new Reply({ kind: "death", after, back: back ?? null }),
};

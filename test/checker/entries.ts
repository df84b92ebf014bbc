/** What is written of a call that changes something. Times are milliseconds since the epoch. */
export type ClientEntry =
  /** Written to disk before the call leaves; `n` makes the body. */
  | { readonly type: "asked"; readonly at: number; readonly key: string; readonly send: number; readonly n: number }
  /** Nothing was sent: nobody listened. */
  | { readonly type: "unsent"; readonly at: number; readonly key: string; readonly send: number }
  /** It was sent and no answer came: the outcome is unknown until the key is asked again. */
  | {
      readonly type: "unanswered";
      readonly at: number;
      readonly key: string;
      readonly send: number;
      readonly problem: string;
    }
  | {
      readonly type: "answered";
      readonly at: number;
      readonly key: string;
      readonly send: number;
      readonly status: number;
      readonly sessionId: string | null;
      /** The server says that it had answered this key before. */
      readonly replayed: boolean;
    }
  /** The session is to be cancelled; written before the call leaves. */
  | { readonly type: "cancelling"; readonly at: number; readonly key: string; readonly sessionId: string }
  | {
      readonly type: "cancelled";
      readonly at: number;
      readonly key: string;
      readonly sessionId: string;
      readonly status: number;
      /** From a 200 on it is asked until everything has stopped. */
      readonly waits?: true;
    }
  /** Of everything in it that was to be stopped it is known what came of it. */
  | {
      readonly type: "called_off";
      readonly at: number;
      readonly key: string;
      readonly sessionId: string;
      readonly stages: Readonly<Record<string, string>>;
    }
  /** How the session ended, as the server told it. */
  | {
      readonly type: "ended";
      readonly at: number;
      readonly key: string;
      readonly sessionId: string;
      readonly status: string;
      readonly result: unknown;
      readonly expected: unknown;
      /** How it should have ended. Default: completed. */
      readonly outcome?: "completed" | "failed";
    };

/** One try at a task as an agent is told about it. */
export interface Ticket {
  readonly task: string;
  readonly attempt: number;
  readonly token: string;
}

/** Limits by key, as a task's parameters say them to its agent. */
export interface SaidLimits {
  readonly concurrency: { readonly key: string; readonly limit: number };
  /** `per` is in microseconds. */
  readonly rate?: { readonly key: string; readonly limit: number; readonly per: number };
}

/** What agents and receivers write of everything that reached them, before they act on it. */
export type EffectEntry =
  | (Ticket & {
      readonly type: "delivery";
      readonly at: number;
      readonly agent: string;
      readonly session: string | null;
      /** The Idempotency-Key it came with. */
      readonly key: string;
      /** When the attempt was made, as the message says. */
      readonly sentAt: string;
      /** The agent has had this key before. */
      readonly known: boolean;
      /** What its parameters say that limits it. */
      readonly limits?: SaidLimits;
      /** The network brought it once more, the server did not send it. */
      readonly doubled?: boolean;
      /** Its place in the order of what was sent, where that is known; else entries are taken to be in order. */
      readonly sent?: number;
    })
  /** The work was done, once per key; the key is the only thing an agent goes by. */
  | {
      readonly type: "effect";
      readonly at: number;
      readonly agent: string;
      readonly key: string;
      readonly attempt: number;
      readonly result: unknown;
    }
  /** The work that limits were named for begins; `effect` or `stopped` ends it. */
  | {
      readonly type: "begun";
      readonly at: number;
      readonly agent: string;
      readonly key: string;
      readonly attempt: number;
      readonly limits: SaidLimits;
    }
  /** The work was given up: nobody is at it any more. */
  | {
      readonly type: "stopped";
      readonly at: number;
      readonly agent: string;
      readonly key: string;
      readonly attempt: number;
    }
  /** An effect was announced, and this was the answer. */
  | {
      readonly type: "announced";
      readonly at: number;
      readonly agent: string;
      readonly task: string;
      readonly attempt: number;
      readonly effect: string;
      readonly key: string;
      readonly status: string;
      /** The server says that an earlier attempt announced it. */
      readonly again: boolean;
    }
  /** It was told that an effect is done; `status` is the HTTP status. */
  | {
      readonly type: "receipt";
      readonly at: number;
      readonly agent: string;
      readonly task: string;
      readonly attempt: number;
      readonly effect: string;
      readonly status: number;
    }
  /** Something was done outside for a task, by whoever receives such things: once per key, however often it is asked. */
  | {
      readonly type: "outside";
      readonly at: number;
      readonly agent: string;
      readonly task: string;
      readonly attempt: number;
      readonly effect: string;
      /** The key it was asked for under. */
      readonly key: string;
      /** It was done before, under this key. */
      readonly known: boolean;
    }
  /** The agent's own answer to a delivery was an outcome, and left whole. */
  | (Ticket & {
      readonly type: "answered";
      readonly at: number;
      readonly agent: string;
      readonly status: "completed" | "failed";
    })
  /** A result call was answered; `status` is the HTTP status. */
  | (Ticket & {
      readonly type: "reported";
      readonly at: number;
      readonly agent: string;
      readonly status: number;
      readonly tries: number;
      /** Default: completed. */
      readonly outcome?: "completed" | "failed";
    })
  /** What it says of an attempt that was cancelled; once before it is told, and once more when it was heard. */
  | (Ticket & {
      readonly type: "word";
      readonly at: number;
      readonly agent: string;
      readonly status: "acknowledged" | "stopped" | "refused";
      readonly isHeard: boolean;
    })
  | {
      readonly type: "webhook";
      readonly at: number;
      readonly id: string;
      readonly session: string;
      readonly event: string;
      /** What the receiver answered. */
      readonly status: number;
    };

/** What somebody who followed events was told, over all the connections it took. */
export interface StreamLog {
  /** `session` and `task` end by themselves. */
  readonly follows: "all" | "session" | "task";
  /** Of the session or task. */
  readonly id: string | null;
  readonly told: { readonly position: number; readonly type: string }[];
  /** Why a place to go on from was taken for none. */
  readonly resets: string[];
  /** The status that its end was told with; null before. */
  ended: string | null;
}

type Of<E, T> = Extract<E, { type: T }>;

/** The entries of one type. */
export function entriesOf<E extends { type: string }, T extends E["type"]>(entries: readonly E[], type: T): Of<E, T>[] {
  return entries.filter((entry): entry is Of<E, T> => entry.type === type);
}

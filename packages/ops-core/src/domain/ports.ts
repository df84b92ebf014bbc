import type { Operation, OperationInput, OperationOutput, operations } from "@opspawn/contract";
import type { KeyMint } from "./auth/minting.ts";
import type { Clock } from "./clock.ts";
import type { Context } from "./context.ts";
import type { HttpClient } from "./http-client.ts";
import type { Ids } from "./ids.ts";
import type { Store } from "./store.ts";
import type { Waiters } from "./waiters.ts";
import type { Plans } from "./workflows/plans.ts";

/** What operations need from outside. */
export interface Ports {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly waiters: Waiters;
  readonly plans: Plans;
  readonly keys: KeyMint;
  /** Whether our HTTP client may call a URL that somebody else chose. */
  readonly decideUrl: (
    url: URL,
  ) => { readonly isAllowed: true } | { readonly isAllowed: false; readonly reason: string };
  /** Calls URLs that somebody else chose. */
  readonly http: HttpClient;
  /** Where agents reach us, without a slash at the end; the base of `resultUrl`. Known once we listen. */
  readonly publicUrl: () => string;
  /** Whether an agent without a key may register again under its name. */
  readonly reregister: "never" | "same-endpoint";
  /** Whether agents get keys of their own: only where AgentKit and Ops-Core share a process. */
  readonly agentKeys: boolean;
  /** Where Ops-Core elsewhere hears of agents registered here; null = nobody is told. */
  readonly notifyUrl: string | null;
  /** The origin of the Ops-Core elsewhere whose tasks are delivered to agents registered here; null = there is none. */
  readonly opsCoreOrigin: string | null;
}

/** Does one operation. Authorisation has happened; the input has the declared form. */
export type Handler<Op> = Op extends Operation
  ? (context: Context, input: OperationInput<Op>) => Promise<OperationOutput<Op>>
  : never;

type Nouns = typeof operations;
export type Noun = keyof Nouns;

/** A handler for each operation of a noun. */
export type NounHandlers<N extends Noun> = { readonly [Verb in keyof Nouns[N]]: Handler<Nouns[N][Verb]> };

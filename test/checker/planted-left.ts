import type { DatabaseSync } from "node:sqlite";
import type { ClientEntry, EffectEntry, StreamLog } from "./entries.ts";

/** What is left of a system. */
export interface Left {
  readonly db: DatabaseSync;
  client: ClientEntry[];
  effects: EffectEntry[];
  streams: StreamLog[];
}

/** What was done to the system, and the invariant that must be found broken. */
export type Planted = readonly [what: string, invariant: string, tamper: (left: Left) => void];

import type { JsonObject } from "@opspawn/contract";

/** Why something waits, written by the code that decided it. */
export interface Blocked {
  /** A stable word, such as `agent_busy`. */
  readonly reason: string;
  /** One sentence with names and numbers. */
  readonly message: string;
  readonly since: number;
  readonly details: JsonObject;
}

import type { JsonObject } from "@opspawn/contract";
import { SECOND } from "../clock.ts";

/** What one call may take, unless its step says otherwise. */
export const TOOL_TIMEOUT = 15 * SECOND;
/** Calls at once, unless its registration says otherwise. */
export const TOOL_CONCURRENCY = 10;

/** An external HTTP tool. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments. */
  readonly parameters: JsonObject;
  readonly endpoint: string;
  /** Calls of tasks it is given at once. */
  readonly maxConcurrency: number;
  readonly registeredAt: number;
}

import type { JsonObject } from "@opspawn/contract";

/** An external HTTP tool. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments. */
  readonly parameters: JsonObject;
  readonly endpoint: string;
  readonly registeredAt: number;
}

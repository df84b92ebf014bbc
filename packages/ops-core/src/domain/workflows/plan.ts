import type { JsonObject, JsonValue } from "@opspawn/contract";

/** Who does a step. */
export type StepTarget =
  | { readonly kind: "agent"; readonly agentId: string }
  | { readonly kind: "agentName"; readonly agentName: string }
  | { readonly kind: "capability"; readonly capability: string };

/** Why an attempt did not succeed, as far as the retry policy distinguishes it. */
export type RetryReason = "timeout" | "lost" | "unavailable" | "agent_error";

/** Durations are microseconds. */
export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "fixed";
  readonly initialDelay: number;
  readonly maxDelay: number;
  /** `full`: uniformly between 0 and the computed delay. */
  readonly jitter: "full" | "none";
  readonly on: readonly RetryReason[];
}

/**
 * A workflow definition after it was checked whole: what the engine runs. Pure data; durations are microseconds.
 * `steps` is in listed order; `dependsOn` holds the edges whatever way the definition spelled its order.
 */
export interface WorkflowPlan {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly description: string | null;
  readonly order: "list" | "chain" | "graph";
  readonly steps: readonly PlanStep[];
  /** Index into `steps` by step id. */
  readonly byId: ReadonlyMap<string, number>;
  /** JSON Schema the input must satisfy, or null. */
  readonly inputSchema: JsonObject | null;
  /** JSON Schema the session's result must satisfy, or null. */
  readonly outputSchema: JsonObject | null;
  /** A value that may hold `${{ }}`, or undefined when the definition has none. */
  readonly output: JsonValue | undefined;
  readonly onFailure: "fail" | "continue";
  /** Bounds the whole session; null = none. */
  readonly deadline: number | null;
  /**
   * How steps get their data. `original`: no expression and no `input` block anywhere, so a non-empty initial payload
   * replaces the first listed step's parameters and each later step also receives `previous`.
   */
  readonly data: "original" | "expressions";
}

export interface PlanStep {
  readonly id: string;
  readonly index: number;
  readonly name: string;
  /** Indices of the steps that must have ended first. */
  readonly dependsOn: readonly number[];
  /** Indices of the steps that wait for this one. */
  readonly dependents: readonly number[];
  /** Null = the agent in the trigger's path. */
  readonly target: StepTarget | null;
  readonly fallback: StepTarget | null;
  /** As written; may hold `${{ }}`. */
  readonly parameters: JsonValue;
  /** JSON Schema the evaluated parameters must satisfy, or null. */
  readonly inputSchema: JsonObject | null;
  /** JSON Schema a result must satisfy to be one, or null. */
  readonly outputSchema: JsonObject | null;
  /** Ids of the steps whose result, status or error the parameters name. */
  readonly reads: readonly string[];
  readonly retry: RetryPolicy;
  /** Bounds one attempt; null = the agent's own default, else 2 minutes. */
  readonly timeout: number | null;
  /** Bounds all attempts together; null = 24 hours. */
  readonly deadline: number | null;
  /** Overrides the workflow's `onFailure` for this step; null = inherit. */
  readonly onFailure: "fail" | "continue" | null;
  readonly priority: number;
}

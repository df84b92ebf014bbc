import type { JsonObject, JsonValue } from "@opspawn/contract";

/** Who does a step. */
export type StepTarget =
  | { readonly kind: "agent"; readonly agentId: string }
  | { readonly kind: "agentName"; readonly agentName: string }
  | { readonly kind: "capability"; readonly capability: string };

/** What a step does. An `agent` and a `tool` step make tasks; the others wait for somebody, some time or another session. */
export type StepKind = "agent" | "tool" | "workflow" | "approval" | "wait";

/** One run per item of a list. */
export interface ForEach {
  /** A list whose items may hold `${{ }}`, or the CEL source of an expression that yields a list. */
  readonly items: JsonValue;
  /** Items under way at once. */
  readonly concurrency: number;
  /** `collect`: a failed item leaves null in `results` and its error in `errors`, and the step completes. */
  readonly onItemError: "fail" | "collect";
}

/**
 * How many tasks of a key run at once, or begin within some time. Keys are known to the whole deployment: steps and
 * workflows that say the same key share it.
 */
export interface StepLimits {
  /** `key` as written: a text that may hold `${{ }}`. */
  readonly concurrency: { readonly key: string; readonly limit: number } | null;
  /** `per` in microseconds. */
  readonly rate: { readonly key: string; readonly limit: number; readonly per: number } | null;
}

/** The step runs again until an expression, looked at after each run, says that it is enough. */
export interface Repeat {
  /** CEL source; yields true or false. */
  readonly until: string;
  readonly maxIterations: number;
  /** Between the end of one run and the next. */
  readonly delay: number;
  /** What it means when the last run was not enough. */
  readonly onExhausted: "fail" | "complete";
}

export interface ChildWorkflow {
  readonly id: string;
  /** Null = the version most recently applied when the step begins. */
  readonly version: string | null;
}

export type Wait =
  | { readonly kind: "for"; readonly duration: number }
  /** The time is the step's `parameters`: text such as 2026-01-31T09:00:00Z, or an expression that yields it. */
  | { readonly kind: "until" }
  | { readonly kind: "signal"; readonly signal: string; readonly timeout: number | null };

/** The message and the details to decide on are the step's `parameters`: `{ message, details? }`. */
export interface Approval {
  /** Null = it may be decided for as long as the session lasts. */
  readonly timeout: number | null;
  /** `reject`: an approval that expires counts as rejected. */
  readonly onTimeout: "fail" | "reject";
  /** How long until it is asked again, and again; null = never. */
  readonly remindEvery: number | null;
  /** Names of the keys that may decide; null = every key that has the scope. */
  readonly approvers: readonly string[] | null;
}

/** How a completed step is undone. */
export interface Compensation {
  readonly kind: "agent" | "tool";
  /** Null = the agent in the trigger's path, for `agent`. */
  readonly target: StepTarget | null;
  readonly tool: string | null;
  /** As written; may hold `${{ }}`. */
  readonly parameters: JsonValue;
  readonly retry: RetryPolicy;
  readonly timeout: number | null;
  readonly deadline: number | null;
  /** Undo a step, too, of which nobody knows whether it was done. `report`: it ends as `uncertain`. */
  readonly whenUnknown: "run" | "report";
}

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
  readonly onFailure: OnFailure;
  /** Bounds the whole session; null = none. */
  readonly deadline: number | null;
  /**
   * How steps get their data. `original`: no expression and no `input` block anywhere, so a non-empty initial payload
   * replaces the first listed step's parameters and each later step also receives `previous`.
   */
  readonly data: "original" | "expressions";
}

export type OnFailure = "fail" | "continue" | "compensate";

/**
 * A step on whose failure this one runs, and in which role. `fallback`: it stands in, and its result becomes that of the
 * step. `rejected`, `expired`: it is the branch taken instead of that step's dependents.
 */
export interface Reserve {
  readonly step: number;
  readonly role: "fallback" | "rejected" | "expired";
}

export interface PlanStep {
  readonly id: string;
  readonly index: number;
  readonly name: string;
  readonly kind: StepKind;
  /** Indices of the steps that must have ended first; for a step in reserve the one it is kept for. */
  readonly dependsOn: readonly number[];
  /** Indices of the steps that wait for this one, those in reserve for it left out. */
  readonly dependents: readonly number[];
  /** Set when it runs only if another step fails. */
  readonly reserveOf: Reserve | null;
  /** Indices of the steps that are kept in reserve for this one. */
  readonly reserves: {
    readonly fallback: number | null;
    readonly rejected: number | null;
    readonly expired: number | null;
  };
  /** CEL source; yields true or false. False: the step is skipped. Evaluated once, before `forEach`. */
  readonly when: string | null;
  readonly forEach: ForEach | null;
  readonly repeat: Repeat | null;
  /** Null where nothing limits its tasks, neither its own fields nor those of the workflow. */
  readonly limits: StepLimits | null;
  /** Set for the kind of their name, null for the others. */
  readonly tool: string | null;
  readonly workflow: ChildWorkflow | null;
  readonly approval: Approval | null;
  readonly wait: Wait | null;
  readonly compensation: Compensation | null;
  /** Null = the agent in the trigger's path. */
  readonly target: StepTarget | null;
  readonly fallback: StepTarget | null;
  /**
   * What is evaluated when the step begins, as written; may hold `${{ }}`. For an agent or a tool what it receives, for a
   * workflow its input, for an approval `{ message, details? }`, for a `wait` until a time that time.
   */
  readonly parameters: JsonValue;
  /** Where `parameters` stand in the step, for the paths of errors: `parameters`, `workflow.input`, ... */
  readonly parametersAt: readonly string[];
  /** JSON Schema the evaluated parameters must satisfy, or null. */
  readonly inputSchema: JsonObject | null;
  /** JSON Schema a result must satisfy to be one, or null. */
  readonly outputSchema: JsonObject | null;
  /** Ids of the steps whose result, status or error the step's expressions name. */
  readonly reads: readonly string[];
  readonly retry: RetryPolicy;
  /** Bounds one attempt; null = the agent's own default, else 2 minutes. */
  readonly timeout: number | null;
  /** Bounds all attempts together; null = 24 hours. */
  readonly deadline: number | null;
  /** Overrides the workflow's `onFailure` for this step; null = inherit. */
  readonly onFailure: OnFailure | null;
  readonly priority: number;
}

/** Indices of the steps that are kept in reserve for this one. */
export function reservesOf({ reserves: { fallback, rejected, expired } }: PlanStep): number[] {
  return [fallback, rejected, expired].filter((index) => index !== null);
}

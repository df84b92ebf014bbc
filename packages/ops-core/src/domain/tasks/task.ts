import type { Blocked } from "../blocked.ts";
import type { RetryReason } from "../workflows/plan.ts";
import type { TaskLimits } from "./limits.ts";
import type { AttemptStatus, TaskStatus } from "./transitions.ts";

/** Why a task or an attempt failed, in the words callers see. */
export interface TaskError {
  readonly code: string;
  readonly message: string;
  readonly retryable?: boolean;
}

/** Who may do a task. */
export type Requirement =
  | { readonly kind: "agent"; readonly agentId: string }
  | { readonly kind: "agentName"; readonly agentName: string }
  /** `preferred`: taken first when it has the capability and is free. */
  | { readonly kind: "capability"; readonly capability: string; readonly preferred: string | null }
  /** A registered tool: this server calls it. */
  | { readonly kind: "tool"; readonly tool: string };

/** The queue a task waits in: all tasks of a lane can be done by the same agents. */
export function laneOf(requirement: Requirement): string {
  switch (requirement.kind) {
    case "agent":
      return `agent:${requirement.agentId}`;
    case "agentName":
      return `name:${requirement.agentName}`;
    case "capability":
      return `capability:${requirement.capability}`;
    case "tool":
      return `tool:${requirement.tool}`;
  }
}

/** The capability that a lane's tasks ask for, or null where they name an agent. */
export function capabilityOf(lane: string): string | null {
  return lane.startsWith("capability:") ? lane.slice("capability:".length) : null;
}

/** The tool that a lane's tasks are calls of, or null where agents do them. */
export function toolOf(lane: string): string | null {
  return lane.startsWith("tool:") ? lane.slice("tool:".length) : null;
}

/** The lanes an agent takes work from. */
export function lanesServed(agent: { id: string; name: string; capabilities: readonly string[] }): string[] {
  return [
    `agent:${agent.id}`,
    `name:${agent.name}`,
    ...agent.capabilities.map((capability) => `capability:${capability}`),
  ];
}

/** `rejected`: the agent, or the guard, will never take it. */
export type FailureReason = RetryReason | "rejected";

/** How an attempt ended, whoever found out. */
export type AttemptOutcome =
  | { readonly type: "succeeded"; readonly result: string | null; readonly evidence: Evidence }
  | {
      readonly type: "failed";
      readonly reason: FailureReason;
      readonly error: TaskError;
      readonly evidence: Evidence | null;
      /** Microseconds the other side asked us to wait. */
      readonly retryAfter?: number;
    };

/** How we know an outcome, strongest first; `inferred` rests on bare states. */
export type Evidence = "result" | "answer" | "named" | "inferred";

/** A task as stored. Times are microseconds; `parameters` and `result` are JSON text. */
export interface TaskRecord {
  readonly id: string;
  readonly name: string;
  readonly sessionId: string | null;
  readonly stepId: string | null;
  /** It undoes its step. */
  readonly undoes: boolean;
  readonly status: TaskStatus;
  readonly requirement: Requirement;
  readonly fellBack: boolean;
  /** Of the current or last attempt; null for a tool's. */
  readonly agentId: string | null;
  readonly used: number;
  readonly max: number;
  readonly readyAt: number;
  readonly deadline: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly parameters: string;
  readonly result: string | null;
  readonly error: TaskError | null;
  readonly deadLetter: boolean;
  /** The dead letter it was made from. */
  readonly redriveOf: string | null;
  /** Null where nothing limits it. */
  readonly limits: TaskLimits | null;
  /** Why it waits, as last evaluated; null unless it is pending. */
  readonly blocked: Blocked | null;
}

export interface AttemptRecord {
  readonly number: number;
  /** Null for a tool's. */
  readonly agentId: string | null;
  readonly tool: string | null;
  readonly status: AttemptStatus;
  readonly counted: boolean;
  readonly sends: number;
  readonly createdAt: number;
  readonly acknowledgedAt: number | null;
  readonly endedAt: number | null;
  readonly evidence: Evidence | null;
  readonly error: TaskError | null;
}

/** All that a channel needs to hand an attempt to its agent, or to call its tool. */
export interface ClaimedAttempt {
  readonly taskId: string;
  readonly taskName: string;
  /** Null when the task asked for an agent. */
  readonly capability: string | null;
  readonly sessionId: string | null;
  readonly workflowId: string | null;
  readonly attempt: number;
  readonly token: string;
  readonly epoch: number;
  readonly send: number;
  /** Null where a tool is called. */
  readonly agentId: string | null;
  readonly agentName: string | null;
  /** The name of the tool that is called, else null. */
  readonly tool: string | null;
  /** Null for pull agents. */
  readonly endpoint: string | null;
  /** AgentKit elsewhere told of the agent: its gateway reaches it. */
  readonly announced: boolean;
  readonly parameters: string;
  readonly createdAt: number;
  /** End of this attempt. */
  readonly timeoutAt: number;
  /** The agent is known to answer or to post results; only then may its acknowledgement wait. */
  readonly explicit: boolean;
}

export interface TaskFilter {
  readonly status?: string | undefined;
  readonly session?: string | undefined;
  readonly agent?: string | undefined;
  readonly blockedReason?: string | undefined;
  readonly deadLetter?: boolean | undefined;
  /** The capability that is asked for. */
  readonly capability?: string | undefined;
  /** False: nothing was made from it, nor from its session. */
  readonly redriven?: false | undefined;
}

export type { AgentQuery, AgentRegistration, Agents, ClaimRequest, StateReport } from "./agents.ts";
export type { ApprovalDecision, ApprovalLinkRequest, ApprovalQuery, Approvals } from "./approvals.ts";
export { TaskFailure, type TaskFailureOptions, type WorkContext, type WorkHandler } from "./attempt.ts";
export { TaskCancelled } from "./cancelled-task.ts";
export { OpspawnClient } from "./client.ts";
export { type Chance, type Clock, sleep, systemChance, systemClock } from "./clock.ts";
export type { Deliveries, DeliveryQuery } from "./deliveries.ts";
export {
  type ConnectionProblem,
  isPassing,
  OpspawnApiError,
  OpspawnConnectionError,
  OpspawnResetError,
  OpspawnWaitError,
} from "./errors.ts";
export type { EventQuery, Events } from "./events.ts";
export type { FollowedEvent, FollowOptions } from "./follow.ts";
export type { KeyRequest, Keys } from "./keys.ts";
export type { LimitQuery, Limits } from "./limits.ts";
export type { Page } from "./page.ts";
export type {
  BackfillRequest,
  FireQuery,
  ScheduleCreation,
  ScheduleDefinition,
  ScheduleQuery,
  Schedules,
} from "./schedules.ts";
export {
  type CancellationQuery,
  isTerminal,
  type SessionDetail,
  type SessionFork,
  type SessionQuery,
  type SessionStart,
  type Sessions,
  type WaitForOptions,
} from "./sessions.ts";
export type { CancelReceipt, TaskQuery, TaskResult, Tasks } from "./tasks.ts";
export type { ToolRegistration, Tools } from "./tools.ts";
export type { CallOptions, ClientOptions, KeyedCallOptions } from "./transport.ts";
export { type WorkOptions, work } from "./work.ts";
export type { WorkflowDefinition, Workflows } from "./workflows.ts";

export { DURATION_HINT, formatDuration, parseDuration } from "./duration.ts";
export {
  ERRORS,
  type ErrorCode,
  type ErrorSpec,
  type Issue,
  OpspawnError,
  type OpspawnErrorOptions,
} from "./errors.ts";
export { beginning, excerpt } from "./excerpt.ts";
export { isJsonNumber, isJsonObject, jsonNumber, jsonNumberText, parseJson, stringifyJson } from "./json.ts";
export { checkJson, JSON_LIMITS, type JsonLimits } from "./json-limits.ts";
export type { JsonObject, JsonValue, RawJson } from "./json-value.ts";
export type {
  Operation,
  OperationInput,
  OperationOutput,
  OperationRequest,
  Permission,
  Scope,
  Streamed,
} from "./operation.ts";
export type { AgentView } from "./operations/agents.ts";
export type { ApprovalLinkView, ApprovalView } from "./operations/approvals.ts";
export type { CancellationView, CancelNoticeView } from "./operations/cancellations.ts";
export type { DeliveryView } from "./operations/deliveries.ts";
export type { EffectView } from "./operations/effects.ts";
export type { EventStreamQuery, EventView } from "./operations/events.ts";
export { allOperations, operations } from "./operations/index.ts";
export type { KeyView } from "./operations/keys.ts";
export type { LimitView } from "./operations/limits.ts";
export type { MetricView } from "./operations/metrics.ts";
export type { FireView, ScheduleView } from "./operations/schedules.ts";
export type { SessionDetailView, SessionView } from "./operations/sessions.ts";
export type { Assignment, TaskView } from "./operations/tasks.ts";
export type { ToolView } from "./operations/tools.ts";
export type { WorkflowView } from "./operations/workflows.ts";
export { type OriginalOperation, originalOperations } from "./originals.ts";
export {
  checkWebhookSecret,
  SIGNATURE_HEADERS,
  SIGNATURE_TOLERANCE,
  type SignatureProblem,
  type SignatureVerdict,
  type SignedMessage,
  signAgentKit,
  signStandardWebhook,
  verifyAgentKit,
  verifyStandardWebhook,
} from "./signature.ts";
export { formatTime, parseTime } from "./time.ts";

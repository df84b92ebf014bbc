import type { Operation } from "../operation.ts";
import { agentOperations } from "./agents.ts";
import { approvalOperations } from "./approvals.ts";
import { deliveryOperations } from "./deliveries.ts";
import { eventOperations } from "./events.ts";
import { keyOperations } from "./keys.ts";
import { limitOperations } from "./limits.ts";
import { metricsOperations } from "./metrics.ts";
import { scheduleOperations } from "./schedules.ts";
import { sessionOperations } from "./sessions.ts";
import { taskOperations } from "./tasks.ts";
import { toolOperations } from "./tools.ts";
import { workflowOperations } from "./workflows.ts";

/** Every operation, by noun. */
export const operations = {
  agents: agentOperations,
  workflows: workflowOperations,
  sessions: sessionOperations,
  approvals: approvalOperations,
  tasks: taskOperations,
  schedules: scheduleOperations,
  deliveries: deliveryOperations,
  tools: toolOperations,
  limits: limitOperations,
  keys: keyOperations,
  events: eventOperations,
  metrics: metricsOperations,
} as const;

export const allOperations: readonly Operation[] = Object.values(operations).flatMap((noun) =>
  Object.values(noun as Record<string, Operation>),
);

import { agentHandlers } from "./agents/operations.ts";
import { approvalHandlers } from "./approvals/operations.ts";
import { keyHandlers } from "./auth/operations.ts";
import { deliveryHandlers } from "./deliveries/operations.ts";
import { eventHandlers } from "./events/operations.ts";
import { limitHandlers } from "./limits/operations.ts";
import { metricsHandlers } from "./metrics/operations.ts";
import type { Noun, NounHandlers, Ports } from "./ports.ts";
import { scheduleHandlers } from "./schedules/operations.ts";
import { sessionHandlers } from "./sessions/operations.ts";
import { taskHandlers } from "./tasks/operations.ts";
import { toolHandlers } from "./tools/operations.ts";
import { workflowHandlers } from "./workflows/operations.ts";

/** All the platform can do, as declared in the contract. Transports call these and nothing else. */
export type Handlers = { readonly [N in Noun]: NounHandlers<N> };

/** The operations over a store; not yet guarded (see `auth/guard.ts`). */
export function createOperations(ports: Ports): Handlers {
  return {
    agents: agentHandlers(ports),
    workflows: workflowHandlers(ports),
    sessions: sessionHandlers(ports),
    schedules: scheduleHandlers(ports),
    approvals: approvalHandlers(ports),
    tasks: taskHandlers(ports),
    deliveries: deliveryHandlers(ports),
    tools: toolHandlers(ports),
    limits: limitHandlers(ports),
    keys: keyHandlers(ports),
    events: eventHandlers(ports),
    metrics: metricsHandlers(ports),
  };
}

import { type OperationInput, OpspawnError, type operations, stringifyJson } from "@opspawn/contract";
import { needAgent } from "../agents/view.ts";
import { DAY } from "../clock.ts";
import type { Context } from "../context.ts";
import { idempotencyOf, repeatable } from "../idempotency.ts";
import type { Ports } from "../ports.ts";
import { invalidField, readDuration, readSilence } from "../request-fields.ts";
import type { Idempotency } from "../store.ts";
import { DEADLINE_MAX, TIMEOUT_MAX } from "../workflows/limits.ts";
import { STEP_RETRY } from "./retry.ts";
import type { Requirement, TaskRecord } from "./task.ts";

type Body = OperationInput<typeof operations.tasks.create>["body"];

const DELAY_MAX = 365 * DAY;

/**
 * Creates a task that belongs to no session. Unlike a step it is tried once unless the caller says otherwise.
 * @throws OpspawnError `no_target`, `agent_not_found`, `invalid_request`, `idempotency_key_reused`
 */
export async function createTask(ports: Ports, context: Context, body: Body): Promise<TaskRecord> {
  const idempotency = idempotencyOf(context, "tasks.create", body);
  const { value, replayed } = await repeatable(ports.store.answers, idempotency, () =>
    create(ports, body, idempotency),
  );
  context.replayed = replayed;
  return value;
}

async function create(ports: Ports, body: Body, idempotency: Idempotency | undefined) {
  const requirement = await requirementOf(ports, body);
  const { delay, timeout, silenceTimeout, deadline } = body;
  const { task, replayed } = await ports.store.tasks.create({
    taskId: `task_${ports.ids.uuid()}`,
    name: body.name,
    requirement,
    parameters: stringifyJson(body.parameters),
    readyAt: ports.clock.now() + (delay === undefined ? 0 : readDuration(delay, ["body", "delay"], DELAY_MAX, "365d")),
    priority: body.priority,
    retry: { ...STEP_RETRY, maxAttempts: body.maxAttempts },
    timeout: timeout === undefined ? null : readDuration(timeout, ["body", "timeout"], TIMEOUT_MAX, "7d"),
    ...(silenceTimeout === undefined
      ? {}
      : { silenceTimeout: readSilence(silenceTimeout, ["body", "silenceTimeout"]) }),
    deadline: readDuration(deadline, ["body", "deadline"], DEADLINE_MAX, "365d"),
    idempotency,
  });
  return { value: task, replayed };
}

async function requirementOf({ store }: Ports, { agentId, capability }: Body): Promise<Requirement> {
  if (agentId !== undefined && capability !== undefined) {
    throw invalidField(["body", "capability"], "give either agentId or capability, and not both");
  }
  if (capability !== undefined) return { kind: "capability", capability, preferred: null };
  if (agentId === undefined) throw new OpspawnError("no_target", "Name an agentId or a capability.");
  await needAgent(store, agentId);
  return { kind: "agent", agentId };
}

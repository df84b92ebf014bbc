import { agentBlock } from "../../domain/agents/claimable.ts";
import { DEFAULT_ATTEMPT_TIMEOUT } from "../../domain/tasks/retry.ts";
import { type ClaimedAttempt, capabilityOf, laneOf, type Requirement } from "../../domain/tasks/task.ts";
import type { AgentEntry } from "./agent-index.ts";
import { takeProbe } from "./circuits.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { SessionUnit } from "./session-unit.ts";
import { takeSlot } from "./slots.ts";
import type { StoredTask } from "./stored-task.ts";
import { type AttemptRow, beginAttempt, changeTask, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** The agent that may take this task now, or undefined. Pull agents are never chosen: they come and ask. */
export function chooseAgent(tx: Tx, task: TaskRow): AgentEntry | undefined {
  const requirement = JSON.parse(task.requirement) as Requirement;
  const lane = laneOf(requirement);
  const free = (agent: AgentEntry) =>
    agent.channel === "push" && agent.endpoint !== null && agentBlock(agent, tx.now) === null;
  const preferred = requirement.kind === "capability" ? requirement.preferred : null;
  if (preferred !== null && preferred !== task.avoid_agent) {
    const agent = tx.context.agents.get(preferred);
    if (agent?.lanes.includes(lane) && free(agent)) return agent;
  }
  let avoided: AgentEntry | undefined;
  for (const agent of tx.context.agents.inTurn(lane)) {
    if (!free(agent)) continue;
    if (agent.id !== task.avoid_agent) return agent;
    avoided = agent;
  }
  return avoided;
}

/**
 * The direct claim: the dispatcher's own choice, made while the task is created. Only if no waiting task with a smaller
 * key wants anything this agent serves; else a long session would keep its agent for ever.
 */
export function claimDirectly(tx: Tx, task: TaskRow): void {
  if (task.ready_at > tx.now) return;
  if (tx.sendCapacity <= 0) return;
  const agent = chooseAgent(tx, task);
  if (agent === undefined || hasEarlierWork(tx, agent, task.order_key)) return;
  assign(tx, task, agent);
}

function hasEarlierWork(tx: Tx, agent: AgentEntry, orderKey: number): boolean {
  for (const lane of agent.lanes) {
    if (!tx.context.agents.waiting.has(lane)) continue;
    const earlier = tx.get(
      "select 1 from tasks where status = 'pending' and lane = ? and order_key < ? and ready_at <= ? limit 1",
      lane,
      orderKey,
      tx.now,
    );
    if (earlier !== undefined) return true;
  }
  return false;
}

/**
 * Gives a pending task to an agent: a new attempt with a fresh token, a slot, and for push agents a message for this
 * process to send. Null when no slot was free after all.
 */
export function assign(tx: Tx, task: TaskRow, agent: AgentEntry): ClaimedAttempt | null {
  const n = task.attempts + 1;
  if (task.status !== "pending") throw new Error(`task ${task.id} was thought to wait`);
  const slot = takeSlot(tx, agent);
  if (slot === null) return null;
  const policy = JSON.parse(task.policy) as TaskPolicy;
  const timeout = policy.timeout ?? agent.timeout ?? DEFAULT_ATTEMPT_TIMEOUT;
  const timeoutAt = Math.min(tx.now + timeout, task.deadline);
  const token = `${n}.${tx.context.ids.secret()}`;
  beginAttempt(tx, task, newAttempt(tx, task.id, n, agent, { token, slot, timeoutAt }));
  changeTask(tx, task, { status: "running", started_at: task.started_at ?? tx.now });
  const session = task.session_id === null ? undefined : SessionUnit.load(tx, task.session_id);
  if (session?.status === "started") {
    session.change({ status: "running" });
    session.event("session.running", {});
  }
  taskEvent(tx, task, "attempt.created", { number: n, agentId: agent.id, agentName: agent.name });
  const claimed = toClaimed(task, agent, session?.row.workflow_id ?? null, {
    n,
    token,
    epoch: tx.context.epoch,
    send: 1,
    createdAt: tx.now,
    timeoutAt,
  });
  if (agent.channel === "push") send(tx, agent, claimed);
  return claimed;
}

function newAttempt(
  tx: Tx,
  taskId: string,
  n: number,
  agent: AgentEntry,
  { token, slot, timeoutAt }: { token: string; slot: number; timeoutAt: number },
): AttemptRow {
  const probe = takeProbe(tx, agent);
  return {
    task_id: taskId,
    n,
    token,
    agent_id: agent.id,
    slot,
    status: "created",
    epoch: tx.context.epoch,
    sends: 1,
    probe: probe ? 1 : 0,
    counted: 1,
    created_at: tx.now,
    acknowledged_at: null,
    ended_at: null,
    timeout_at: timeoutAt,
    wake_at: timeoutAt,
    wake_for: "timeout",
    moved: 0,
    evidence: null,
    error: null,
  };
}

/** Hands an attempt to this process for sending and counts the message against the agent's silence. */
function send(tx: Tx, agent: AgentEntry, claimed: ClaimedAttempt): void {
  tx.hints.claimed.push(claimed);
  countMessage(tx, agent);
}

/** Bare states prove an outcome only if exactly one message went to the agent; explicit agents never rest on them. */
export function countMessage(tx: Tx, agent: AgentEntry): void {
  if (agent.evidence === "explicit" || agent.evidence === "named") return;
  tx.run("update agents set messages_since_idle = messages_since_idle + 1 where id = ?", agent.id);
}

interface Send {
  readonly n: number;
  readonly token: string;
  readonly epoch: number;
  readonly send: number;
  readonly createdAt: number;
  readonly timeoutAt: number;
}

export function toClaimed(task: TaskRow, agent: AgentEntry, workflowId: string | null, send: Send): ClaimedAttempt {
  return {
    taskId: task.id,
    taskName: task.name,
    capability: capabilityOf(task.lane),
    sessionId: task.session_id,
    workflowId,
    attempt: send.n,
    token: send.token,
    epoch: send.epoch,
    send: send.send,
    agentId: agent.id,
    agentName: agent.name,
    endpoint: agent.endpoint,
    announced: agent.announced,
    parameters: task.parameters,
    createdAt: send.createdAt,
    timeoutAt: send.timeoutAt,
    explicit: agent.evidence === "explicit",
  };
}

/** The first task of a lane that may be given out now. */
export function nextWaiting(tx: Tx, lane: string): TaskRow | undefined {
  const stored = tx.get<StoredTask>(
    `select * from tasks where status = 'pending' and lane = ? and ready_at <= ? and deadline > ?
      order by order_key limit 1`,
    lane,
    tx.now,
    tx.now,
  );
  return stored === undefined ? undefined : tx.tasks.found(tx, stored);
}

import { agentBlock, toolBlock } from "../../domain/agents/claimable.ts";
import { readLimits, type TaskLimits } from "../../domain/tasks/limits.ts";
import { DEFAULT_ATTEMPT_TIMEOUT } from "../../domain/tasks/retry.ts";
import { type ClaimedAttempt, capabilityOf, laneOf, type Requirement } from "../../domain/tasks/task.ts";
import type { Doer } from "./agent-index.ts";
import { takeProbe } from "./circuits.ts";
import type { Line } from "./limit-index.ts";
import { limitBlock, takePermit } from "./permits.ts";
import type { TaskPolicy } from "./plan-cache.ts";
import { SessionUnit } from "./session-unit.ts";
import { takeSlot } from "./slots.ts";
import type { StoredTask } from "./stored-task.ts";
import { type AttemptRow, attemptFacts, beginAttempt, changeTask, type TaskRow, taskEvent } from "./task-row.ts";
import type { Tx } from "./tx.ts";

/** The agent or tool that may take this task now, or undefined. Pull agents are never chosen: they come and ask. */
export function chooseDoer(tx: Tx, task: TaskRow): Doer | undefined {
  const requirement = JSON.parse(task.requirement) as Requirement;
  const lane = laneOf(requirement);
  const free = (doer: Doer) => isFree(tx, doer);
  const preferred = requirement.kind === "capability" ? requirement.preferred : null;
  if (preferred !== null && preferred !== task.avoid_agent) {
    const agent = tx.context.agents.get(preferred);
    if (agent?.lanes.includes(lane) && free(agent)) return agent;
  }
  let avoided: Doer | undefined;
  for (const agent of tx.context.agents.inTurn(lane)) {
    if (!free(agent)) continue;
    if (agent.id !== task.avoid_agent) return agent;
    avoided = agent;
  }
  return avoided;
}

function isFree(tx: Tx, doer: Doer): boolean {
  if (doer.kind === "tool") return toolBlock(doer, tx.now) === null;
  return doer.channel === "push" && doer.endpoint !== null && agentBlock(doer, tx.now) === null;
}

/**
 * The direct claim: the dispatcher's own choice, made while the task is created. Only if no waiting task with a smaller
 * key wants anything this agent serves; else a long session would keep its agent for ever.
 */
export function claimDirectly(tx: Tx, task: TaskRow): void {
  if (task.held === 1 || task.ready_at > tx.now) return;
  if (tx.sendCapacity <= 0) return;
  if (task.limits !== null && !mayPass(tx, task, readLimits(task.limits))) return;
  const agent = chooseDoer(tx, task);
  if (agent === undefined || hasEarlierWork(tx, agent, task.order_key)) return;
  assign(tx, task, agent);
}

/** Whether its keys have room, and no waiting task with a smaller order key wants any of them. */
function mayPass(tx: Tx, task: TaskRow, limits: TaskLimits): boolean {
  if (limitBlock(tx, limits) !== null) return false;
  for (const line of tx.context.limits.linesOf(limits)) if (isBefore(tx, line, task.order_key)) return false;
  return true;
}

/** Whether a line that its limits let through has a task with a smaller order key. */
function isBefore(tx: Tx, line: Line, orderKey: number): boolean {
  if (line.least >= orderKey || limitBlock(tx, line.limits) !== null) return false;
  return (nextInLine(tx, line)?.order_key ?? orderKey) < orderKey;
}

function hasEarlierWork(tx: Tx, agent: Doer, orderKey: number): boolean {
  for (const lane of agent.lanes) {
    for (const line of tx.context.limits.linesIn(lane)) if (isBefore(tx, line, orderKey)) return true;
    if (!tx.context.agents.waiting.has(lane)) continue;
    const earlier = tx.get(
      `select 1 from tasks where status = 'pending' and held = 0 and limits is null and lane = ? and order_key < ?
        and ready_at <= ? limit 1`,
      lane,
      orderKey,
      tx.now,
    );
    if (earlier !== undefined) return true;
  }
  return false;
}

/**
 * Gives a pending task to an agent or tool: a new attempt with a fresh token, a slot, and unless it is a pull agent a
 * message for this process to send. Null when no slot was free after all.
 */
export function assign(tx: Tx, task: TaskRow, agent: Doer): ClaimedAttempt | null {
  const n = task.attempts + 1;
  if (task.status !== "pending" || task.held === 1) throw new Error(`task ${task.id} was thought to wait`);
  const slot = takeSlot(tx, agent);
  if (slot === null) return null;
  const policy = JSON.parse(task.policy) as TaskPolicy;
  const timeout = policy.timeout ?? agent.timeout ?? DEFAULT_ATTEMPT_TIMEOUT;
  const timeoutAt = Math.min(tx.now + timeout, task.deadline);
  const token = `${n}.${tx.context.ids.secret()}`;
  const attempt = newAttempt(tx, task.id, n, agent, { token, slot, timeoutAt });
  takePermit(tx, task, n);
  beginAttempt(tx, task, attempt);
  changeTask(tx, task, { status: "running", started_at: task.started_at ?? tx.now });
  const session = task.session_id === null ? undefined : SessionUnit.load(tx, task.session_id);
  if (session?.status === "started") {
    session.change({ status: "running" });
    session.event("session.running", {});
  }
  const facts = attemptFacts(task, attempt);
  if (agent.kind === "agent") facts.agentName = agent.name;
  taskEvent(tx, task, "attempt.created", facts);
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
  agent: Doer,
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
function send(tx: Tx, agent: Doer, claimed: ClaimedAttempt): void {
  tx.hints.claimed.push(claimed);
  countMessage(tx, agent);
}

/** Bare states prove an outcome only if exactly one message went to the agent; explicit agents never rest on them. */
export function countMessage(tx: Tx, agent: Doer): void {
  if (agent.kind === "tool" || agent.evidence === "explicit" || agent.evidence === "named") return;
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

export function toClaimed(task: TaskRow, agent: Doer, workflowId: string | null, send: Send): ClaimedAttempt {
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
    agentName: agent.kind === "agent" ? agent.name : null,
    tool: agent.kind === "tool" ? agent.name : null,
    endpoint: agent.endpoint,
    announced: agent.kind === "agent" && agent.announced,
    parameters: task.parameters,
    createdAt: send.createdAt,
    timeoutAt: send.timeoutAt,
    explicit: agent.kind === "tool" || agent.evidence === "explicit",
  };
}

/** The first task of a lane, among those without limits, that may be given out now. */
export function nextWaiting(tx: Tx, lane: string): TaskRow | undefined {
  const stored = tx.get<StoredTask>(
    `select * from tasks where status = 'pending' and held = 0 and limits is null and lane = ? and ready_at <= ?
      and deadline > ? order by order_key limit 1`,
    lane,
    tx.now,
    tx.now,
  );
  return stored === undefined ? undefined : tx.tasks.found(tx, stored);
}

/** The first task of a line that may be given out now, whatever its limits say. */
export function nextInLine(tx: Tx, line: Line): TaskRow | undefined {
  const stored = tx.get<StoredTask>(
    `select * from tasks where status = 'pending' and held = 0 and limits = ? and lane = ? and ready_at <= ?
      and deadline > ? order by order_key limit 1`,
    line.text,
    line.lane,
    tx.now,
    tx.now,
  );
  if (stored === undefined || stored.order_key > line.least) line.least = leastInLine(tx, line);
  return stored === undefined ? undefined : tx.tasks.found(tx, stored);
}

/** The smallest order key of a line, of tasks whose time has not come included; infinite when none waits. */
export function leastInLine(tx: Tx, { text, lane }: Line): number {
  const row = tx.get<{ least: number | null }>(
    "select min(order_key) as least from tasks where status = 'pending' and held = 0 and limits = ? and lane = ?",
    text,
    lane,
  );
  return row?.least ?? Number.POSITIVE_INFINITY;
}

import type { JsonObject } from "@opspawn/contract";
import type { Agent, AgentState, EvidenceClass } from "./agents/agent.ts";
import type { Approval, ApprovalDecision, ApprovalFilter, ApprovalLink } from "./approvals/approval.ts";
import type { ApiKey } from "./auth/key.ts";
import type { Blocked } from "./blocked.ts";
import type { CancelNotice } from "./cancellations/cancellation.ts";
import type { CancellationStore } from "./cancellations/cancellation-store.ts";
import type { DeliveryStore } from "./deliveries/delivery-store.ts";
import type { LimitStore } from "./limits/limit.ts";
import type { CountStore } from "./metrics/count-store.ts";
import type {
  FireOutcome,
  FireRecord,
  NewSchedule,
  Overlap,
  ScheduleDefinition,
  ScheduleFilter,
  ScheduleRecord,
} from "./schedules/schedule.ts";
import type { ForkSession, SessionFilter, SessionRecord, StepRecord } from "./sessions/session.ts";
import type { SessionStatus } from "./sessions/transitions.ts";
import type {
  AttemptOutcome,
  AttemptRecord,
  ClaimedAttempt,
  Requirement,
  TaskFilter,
  TaskRecord,
} from "./tasks/task.ts";
import type { Tool } from "./tools/tool.ts";
import type { RetryPolicy } from "./workflows/plan.ts";
import type { StoredWorkflow } from "./workflows/stored.ts";

/**
 * Everything durable, behind transitions with domain names. Each method that writes is one atomic transition: it
 * re-checks its precondition in the write itself, records its events in the same transaction, and its promise settles
 * only after COMMIT, rejections included. Rejections are `OpspawnError`s. Times are microseconds, JSON columns are text
 * as received. `store.suite.ts` is the specification; every implementation runs it.
 */
export interface Store {
  readonly agents: AgentStore;
  readonly workflows: WorkflowStore;
  readonly sessions: SessionStore;
  readonly cancellations: CancellationStore;
  readonly approvals: ApprovalStore;
  readonly schedules: ScheduleStore;
  readonly tasks: TaskStore;
  readonly attempts: AttemptStore;
  readonly limits: LimitStore;
  readonly deliveries: DeliveryStore;
  readonly tools: ToolStore;
  readonly keys: KeyStore;
  readonly events: EventStore;
  readonly answers: AnswerStore;
  readonly process: ProcessStore;
  readonly counts: CountStore;
  /** Hints about what was just committed; losing one delays, never loses, work. Returns the way to stop listening. */
  onCommit(listener: (hints: Hints) => void): () => void;
  close(): Promise<void>;
}

/** What a commit may be of interest for. */
export interface Hints {
  /** Attempts this process has just claimed and must send. */
  readonly claimed: readonly ClaimedAttempt[];
  /** Lanes where a task waits and may now be claimed. */
  readonly lanes: ReadonlySet<string>;
  /** Sessions that reached a terminal status. */
  readonly endedSessions: readonly string[];
  /** Attempts (`id` = `<taskId>/<number>`) that have ended; `stop`: for a reason outside of their own exchange. */
  readonly endedAttempts: readonly { readonly id: string; readonly stop: boolean }[];
  /** True when a delivery may be due. */
  readonly deliveries: boolean;
  /** Streams that got events. */
  readonly streams: ReadonlySet<string>;
}

/** A repeated request with the same key and body gets the stored answer; with another body 409. */
export interface Idempotency {
  readonly actor: string;
  readonly operation: string;
  readonly key: string;
  readonly bodyHash: string;
}

/** What keyed requests were answered; the transitions themselves write it. */
export interface AnswerStore {
  /** The answer of the first request with this key; null when there was none. Errors: `idempotency_key_reused`. */
  find(idempotency: Idempotency): Promise<unknown>;
}

export interface Page {
  readonly limit: number;
  /** Opaque; from the previous page. */
  readonly cursor?: string | undefined;
}

export interface Paged<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

// --- agents ---------------------------------------------------------------------------------------------------------

export interface AgentRecord extends Agent, AgentState {
  readonly evidence: EvidenceClass;
  readonly slots: { readonly total: number; readonly held: number; readonly draining: number };
  readonly leaseUntil: number | null;
  /** When AgentKit elsewhere last told of it, changed or not; null for an agent that registered here. */
  readonly announcedAt: number | null;
}

/** Who registers: the agent itself (a restart), or something that speaks about it. */
export interface RegisterAgent extends Agent {
  /** The id is kept and endpoint and capabilities are updated when the name is known and the caller may replace it. */
  readonly replace: "never" | "same-endpoint" | "allowed";
  /** Its own key, created with it (under the id that it keeps); null where agents have none. */
  readonly key: ApiKey | null;
  readonly idempotency?: Idempotency | undefined;
}

export interface StateReport {
  readonly agentId: string;
  readonly state: string;
  /** JSON text or null. */
  readonly details: string | null;
  /** Rendered as it will be echoed. */
  readonly timestamp: string;
  /** The agent's own clock in microseconds; null when the server set the time. */
  readonly reportedAt: number | null;
  /** The task named by the details, if they name one. */
  readonly taskId: string | null;
}

export interface AgentStore {
  /** Errors: `agent_name_taken`. */
  register(agent: RegisterAgent): Promise<{ agentId: string; created: boolean; replayed: boolean }>;
  /** A REGISTER notification: the caller chose the id. An unchanged repetition changes nothing but its time. */
  announce(agent: Agent): Promise<{ created: boolean; changed: boolean }>;
  /**
   * Open tasks go back to their lanes. With `announcedAt` nothing happens when AgentKit has told of the agent since, or
   * it registered here. Errors: `agent_not_found`.
   */
  remove(agentId: string, announcedAt?: number): Promise<{ reassigned: number }>;
  /** Errors: `agent_not_found`. */
  report(report: StateReport): Promise<{ settled: string | null }>;
  /** Pull: claims up to `max` tasks for this agent and renews its lease. Errors: `agent_not_found`. */
  claim(agentId: string, max: number): Promise<readonly ClaimedAttempt[]>;
  get(agentId: string): Promise<AgentRecord | null>;
  getByName(name: string): Promise<AgentRecord | null>;
  list(
    page: Page,
    filter: { capability?: string | undefined; state?: string | undefined },
  ): Promise<Paged<AgentRecord>>;
  states(agentId: string, page: Page): Promise<Paged<AgentState>>;
  /** Why the agent would not be given a task now. */
  blocked(agentId: string): Promise<Blocked | null>;
}

// --- workflows ------------------------------------------------------------------------------------------------------

export interface WorkflowStore {
  /** Saves a version; `created: false` when this very body is known. Errors: `workflow_version_exists`. */
  apply(workflow: StoredWorkflow): Promise<{ created: boolean; appliedAt: number }>;
  /** Keeps a definition that belongs to sessions only. */
  snapshot(hash: string, document: string): Promise<void>;
  /** A kept definition, saved or snapshot, by its hash. */
  definition(hash: string): Promise<string | null>;
  /** The version asked for, or the one most recently applied. */
  get(id: string, version?: string): Promise<StoredWorkflow | null>;
  list(page: Page): Promise<Paged<StoredWorkflow>>;
  versions(id: string, page: Page): Promise<Paged<StoredWorkflow>>;
}

// --- sessions -------------------------------------------------------------------------------------------------------

export interface StartSession {
  readonly sessionId: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  /** Hash of its definition; the document is stored with it when it is new. */
  readonly planHash: string;
  readonly document: string;
  readonly agentId: string | null;
  /** JSON text or null. */
  readonly input: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** No task is ready before. */
  readonly startAt: number;
  readonly callbackUrl: string | null;
  /** Added to the priority of each step. Default: 0. */
  readonly priority?: number;
  /** Save the definition under its id when that id is new (the originals' inline trigger). */
  readonly saveWorkflow?: boolean;
  readonly idempotency?: Idempotency | undefined;
}

export interface SendSignal {
  readonly sessionId: string;
  readonly name: string;
  /** JSON text. */
  readonly payload: string;
  readonly idempotency?: Idempotency | undefined;
}

export interface SessionStore {
  /** Errors: `idempotency_key_reused`. */
  start(session: StartSession): Promise<{ session: SessionRecord; replayed: boolean }>;
  /**
   * Steps that were done in the source count as done, and their results are read where they are. Errors:
   * `session_not_found`, `session_open`, `session_completed`, `step_not_finished`.
   */
  fork(fork: ForkSession, idempotency?: Idempotency): Promise<{ session: SessionRecord; replayed: boolean }>;
  /**
   * Gives nothing new of it out, nor of the sessions within it. Repeating it changes nothing. Errors:
   * `session_not_found`, `session_terminal`, `session_compensating`.
   */
  pause(sessionId: string, by: string, reason: string | null): Promise<SessionRecord>;
  /** Repeating it changes nothing. Errors: `session_not_found`, `session_terminal`, `parent_paused`. */
  resume(sessionId: string, by: string): Promise<SessionRecord>;
  /** Errors: `session_not_found`, `session_terminal`, `session_compensating`. */
  cancel(sessionId: string, reason: string): Promise<SessionRecord>;
  label(sessionId: string, labels: Readonly<Record<string, string>>): Promise<SessionRecord>;
  /** Errors: `session_not_found`, `session_terminal`, `signal_unknown`, `too_many_signals`. */
  signal(signal: SendSignal): Promise<{ delivered: boolean; replayed: boolean }>;
  get(sessionId: string): Promise<SessionRecord | null>;
  /** Cheaper than `get`, for those who wait. */
  status(sessionId: string): Promise<SessionStatus | null>;
  steps(sessionId: string): Promise<readonly StepRecord[]>;
  list(page: Page, filter: SessionFilter): Promise<Paged<SessionRecord>>;
}

/** Decisions that sessions wait for. A session's end, or a step's, ends them too. */
export interface ApprovalStore {
  /** Errors: `approval_not_found`, `approval_decided`, `approval_stale`. */
  decide(id: string, decision: ApprovalDecision): Promise<Approval>;
  /** Decides by a link, and uses it up. Errors as of `decide`, and `approval_link_ended`. */
  decideByLink(linkId: string, decision: ApprovalDecision): Promise<Approval>;
  /** Errors: `approval_not_found`, `approval_decided`, `too_many_links`. */
  addLink(link: ApprovalLink): Promise<void>;
  link(id: string): Promise<ApprovalLink | null>;
  get(id: string): Promise<Approval | null>;
  /** Newest first. */
  list(page: Page, filter: ApprovalFilter): Promise<Paged<Approval>>;
}

// --- schedules ------------------------------------------------------------------------------------------------------

export interface ScheduleStore {
  /** Errors: `schedule_name_taken`, `idempotency_key_reused`. */
  create(schedule: NewSchedule, idempotency?: Idempotency): Promise<{ schedule: ScheduleRecord; replayed: boolean }>;
  /** Another timing counts from now on. Errors: `schedule_not_found`, `schedule_name_taken`. */
  update(id: string, definition: ScheduleDefinition): Promise<ScheduleRecord>;
  /** A null note leaves the one there is. Errors: `schedule_not_found`. */
  pause(id: string, note: string | null): Promise<ScheduleRecord>;
  /** Due times that passed meanwhile are left out. Errors: `schedule_not_found`. */
  resume(id: string): Promise<ScheduleRecord>;
  /** With its fires; its sessions go on. Errors: `schedule_not_found`. */
  remove(id: string): Promise<void>;
  /** By id or name. */
  get(idOrName: string): Promise<ScheduleRecord | null>;
  /** By name. */
  list(page: Page, filter: ScheduleFilter): Promise<Paged<ScheduleRecord>>;
  /** Newest first. */
  fires(id: string, page: Page, filter: { outcome?: FireOutcome | undefined }): Promise<Paged<FireRecord>>;
  /**
   * Decides about everything that is due, each schedule in a transaction of its own: its session is started, what became
   * of the due time is recorded and the next one is set, or none of it. A fire that is refused is recorded as failed.
   * @param max schedules looked at
   * @returns how many of them had something due
   */
  fire(max: number): Promise<number>;
  /** Starts a session now, outside of the series. Errors: `schedule_not_found`, and what starting it answers. */
  trigger(id: string, idempotency?: Idempotency): Promise<{ fire: FireRecord; replayed: boolean }>;
  /** Those of these due times that started nothing and do not wait. */
  unfired(id: string, dueAt: readonly number[]): Promise<readonly number[]>;
  /** Fires a due time of the past; null when it has started something meanwhile. Errors: `schedule_not_found`. */
  backfill(id: string, dueAt: number, overlap: Overlap): Promise<FireRecord | null>;
}

// --- tasks and attempts ---------------------------------------------------------------------------------------------

/** A task that belongs to no session. */
export interface CreateTask {
  readonly taskId: string;
  readonly name: string;
  readonly requirement: Requirement;
  /** JSON text. */
  readonly parameters: string;
  readonly readyAt: number;
  readonly priority: number;
  readonly retry: RetryPolicy;
  /** Bounds one attempt; null = the agent's own default. */
  readonly timeout: number | null;
  /** Bounds all attempts, from `readyAt`. */
  readonly deadline: number;
  readonly idempotency?: Idempotency | undefined;
}

export interface TaskStore {
  create(task: CreateTask): Promise<{ task: TaskRecord; replayed: boolean }>;
  /** A new task as a dead letter was that stands alone. Errors: `task_not_found`, `task_not_dead_letter`. */
  redrive(
    sourceId: string,
    taskId: string,
    idempotency?: Idempotency,
  ): Promise<{ task: TaskRecord; replayed: boolean }>;
  get(taskId: string): Promise<TaskRecord | null>;
  attempts(taskId: string): Promise<readonly AttemptRecord[]>;
  list(page: Page, filter: TaskFilter): Promise<Paged<TaskRecord>>;
  /** Evaluates the lane's decision now, without claiming. */
  why(taskId: string): Promise<Blocked | null>;
  /** Cancels a stand-alone task. Errors: `task_not_found`, `task_terminal`. */
  cancel(taskId: string, reason: string): Promise<TaskRecord>;
  /** Claims what can be claimed in these lanes (all lanes with waiting work when absent), at most `max`. */
  claimLanes(max: number, lanes?: readonly string[]): Promise<number>;
}

/** Says which send of an attempt an observation belongs to; a sender that was replaced cannot write. */
export interface Sender {
  readonly taskId: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly send: number;
}

export interface Settled {
  /** `stale`: the attempt is not the current one any more, or has ended otherwise; the report was kept as evidence. */
  readonly type: "accepted" | "repeated" | "stale";
  readonly taskStatus: string;
  /** Of a stale one: what became of the attempt, where it was cancelled. */
  readonly cancellation?: CancelNotice;
}

export interface AttemptStore {
  /** An outcome the agent gave under its token. Errors: `task_not_found`, `lease_lost` for a token never issued. */
  settle(taskId: string, token: string, outcome: AttemptOutcome): Promise<Settled>;
  /** An outcome the sender observed. */
  observe(sender: Sender, outcome: AttemptOutcome): Promise<Settled>;
  /** The exchange ended without an outcome: the agent has the task. */
  acknowledge(sender: Sender): Promise<void>;
  /**
   * Bytes may have been sent, no answer came: the attempt will be sent again under the same token. `answered`: one came,
   * by which the other side is still at an earlier send; that is held against nobody.
   */
  broken(sender: Sender, error: string, answered?: boolean): Promise<void>;
  /** Nothing was sent: the attempt is over and used nothing up. */
  undelivered(sender: Sender, error: string): Promise<void>;
  /**
   * Renews a pull agent's lease. `resend`: a gateway is about to send the message again, which counts as another message
   * to the agent. Errors: `task_not_found`, `lease_lost`,
   * which tells of the attempt's cancellation.
   */
  extendLease(taskId: string, token: string, resend?: boolean): Promise<{ leaseUntil: number }>;
  /**
   * Open attempts that another process (or an earlier one) was sending: this process sends them from now on, as many as
   * it can send. With `sending` (`<taskId>/<number>`) also its own ones that are not among these: the answer to the
   * commit that claimed them was lost.
   */
  adopt(max: number, sending?: ReadonlySet<string>): Promise<readonly ClaimedAttempt[]>;
  /** Everything that is due: attempt timeouts, leases, resends, graces, deadlines, draining slots. */
  expire(max: number): Promise<number>;
}

// --- the rest -------------------------------------------------------------------------------------------------------

export interface ToolStore {
  /** Errors: `tool_name_taken`. */
  register(tool: Tool, idempotency?: Idempotency): Promise<{ tool: Tool; replayed: boolean }>;
  /** Registers it, in the place of what has its name. Calls under way go on; what waits goes to the new one. */
  replace(tool: Tool): Promise<void>;
  /** False when there is none. Calls under way go on; tasks that want it wait for another one of its name. */
  remove(name: string): Promise<boolean>;
  get(name: string): Promise<Tool | null>;
  list(page: Page): Promise<Paged<Tool>>;
}

export interface KeyStore {
  create(key: ApiKey): Promise<void>;
  /** The key was used: those of earlier registrations of its agent end after the overlap. Nearly always only a look. */
  used(key: ApiKey): Promise<void>;
  revoke(id: string): Promise<ApiKey | null>;
  get(id: string): Promise<ApiKey | null>;
  list(page: Page): Promise<Paged<ApiKey>>;
}

export interface StoredEvent {
  readonly position: number;
  readonly stream: string;
  readonly sequence: number;
  readonly type: string;
  readonly at: number;
  readonly data: JsonObject;
}

export interface EventStore {
  /** Of one stream after a sequence, or of all after a position; ascending. */
  list(after: number, limit: number, stream?: string): Promise<readonly StoredEvent[]>;
  /** The sequence of a stream's last event at or before a position; 0 = it has none there. */
  sequenceAt(stream: string, position: number): Promise<number>;
}

/** This process among those that share the store. */
export interface ProcessStore {
  readonly epoch: number;
  /** Marks the process alive and judges whether the store was deaf meanwhile. */
  beat(): Promise<void>;
  /** Releases what this process holds, for a graceful stop. */
  resign(): Promise<void>;
  /** Removes what is older than its keeping time; at most `max` rows. */
  prune(max: number): Promise<number>;
}

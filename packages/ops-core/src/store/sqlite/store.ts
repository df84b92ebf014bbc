import type { Clock } from "../../domain/clock.ts";
import type { Failpoint } from "../../domain/failpoint.ts";
import type { Ids } from "../../domain/ids.ts";
import type { Hints, Store } from "../../domain/store.ts";
import type { WorkflowPlan } from "../../domain/workflows/plan.ts";
import { AgentIndex } from "./agent-index.ts";
import { agentStore } from "./agent-store.ts";
import { approvalStore } from "./approval-store.ts";
import { findDisagreements } from "./audit.ts";
import { undoAwaited } from "./awaited-undoing.ts";
import { cancellationStore } from "./cancellation-store.ts";
import { deliveryStore, eventStore, keyStore, workflowStore } from "./catalog-stores.ts";
import { countStore } from "./counts.ts";
import { Database } from "./database.ts";
import { forgetSessions } from "./forget.ts";
import { answerStore } from "./idempotency.ts";
import { LimitIndex } from "./limit-index.ts";
import { limitStore } from "./limit-store.ts";
import { findOutlook, type Outlook } from "./outlook.ts";
import { PlanCache } from "./plan-cache.ts";
import { processStore } from "./process-store.ts";
import { RecentRows } from "./recent-rows.ts";
import { scheduleStore } from "./schedule-store.ts";
import { sessionStore } from "./session-store.ts";
import { attemptStore, taskStore } from "./task-store.ts";
import { toolStore } from "./tools.ts";
import { Tx, type TxContext } from "./tx.ts";
import { Writer } from "./writer.ts";

export interface SqliteOptions {
  /** A file, or `:memory:`. */
  readonly path: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Compiles a stored definition; it was checked when it was accepted. */
  readonly compile: (document: string) => WorkflowPlan;
  /** Attempts this process may still take on for sending. Default: none, as in a process without an engine. */
  readonly sendCapacity?: () => number;
  readonly failpoint?: Failpoint | undefined;
}

/** What the parts of the store share. */
export interface SqliteContext {
  readonly db: Database;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly tx: TxContext;
  /** Asks the deciding code, without writing. */
  read<T>(question: (tx: Tx) => T): T;
}

export interface SqliteStore extends Store {
  readonly stats: { readonly commits: number; readonly transitions: number };
  /** Whether something is still to be written or answered, so that time must not go on. For who owns time. */
  readonly isBusy: boolean;
  /** What the loops will find to do next, and when. For who owns time. */
  outlook(): Outlook;
  /**
   * Removes all that is kept of sessions that have ended, as if they had never been. For long simulations.
   * @returns those that are still needed, because an agent may be at one of their tasks
   */
  forget(sessionIds: readonly string[]): Promise<readonly string[]>;
  /** Where memory and rows differ; anything here is a defect. For tests and diagnosis. */
  disagreements(): string[];
}

/**
 * Opens (and migrates) a store.
 * @param connect tests put a connection with faults in here
 * @throws OpspawnError `unavailable` when another process has it open, `internal` when it is newer
 */
export function openSqlite(
  options: SqliteOptions,
  connect: (path: string) => Database = (path) => new Database(path, options.failpoint),
): SqliteStore {
  const db = connect(options.path);
  const last = lastTime(db);
  if (last !== null) options.clock.goOnFrom?.(last);
  const listeners = new Set<(hints: Hints) => void>();
  const context = txContext(db, options);
  const tell = (hints: Hints): void => {
    for (const listener of listeners) listener(hints);
  };
  const writer = new Writer(db, context, tell, undoAwaited);
  const shared: SqliteContext = {
    db,
    writer,
    clock: options.clock,
    tx: context,
    read: (question) => question(new Tx(db, context)),
  };
  return {
    agents: agentStore(shared),
    workflows: workflowStore(shared),
    sessions: sessionStore(shared),
    cancellations: cancellationStore(shared),
    approvals: approvalStore(shared),
    schedules: scheduleStore(shared),
    counts: countStore(shared),
    tasks: taskStore(shared),
    attempts: attemptStore(shared),
    deliveries: deliveryStore(shared),
    tools: toolStore(shared),
    limits: limitStore(shared),
    keys: keyStore(shared),
    events: eventStore(shared),
    answers: answerStore(shared),
    process: processStore(shared),
    stats: writer.stats,
    get isBusy() {
      return writer.isBusy;
    },
    outlook: () => findOutlook(db, context, options.clock.now()),
    forget: (sessionIds) => writer.submit("expiry", (tx) => forgetSessions(tx, sessionIds)),
    disagreements: () => findDisagreements(db, context),
    onCommit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      writer.close();
      db.close();
    },
  };
}

function txContext(db: Database, options: SqliteOptions): TxContext {
  const agents = new AgentIndex(db);
  const limits = new LimitIndex(db);
  const plans = new PlanCache(options.compile);
  const recent = new RecentRows();
  const context: TxContext = {
    clock: options.clock,
    ids: options.ids,
    agents,
    limits,
    plans,
    recent,
    epoch: openEpoch(db, options.clock.now()),
    sendCapacity: options.sendCapacity ?? (() => 0),
    failpoint: options.failpoint,
    promised: 0,
    hasOpenFires: db.get("select 1 from schedule_fires where open = 1 and session_id > ''") !== undefined,
    position: null,
    forget: () => {
      agents.forget();
      limits.forget();
      plans.clear();
      recent.clear();
      context.position = null;
    },
  };
  return context;
}

/** When something was last judged or written here; null for data without a past. */
function lastTime(db: Database): number | null {
  const row = db.get<{ last: number | null }>(`select max(
    coalesce((select cast(value as integer) from meta where key = 'judged_at'), 0),
    coalesce((select at from events order by position desc limit 1), 0)) as last`);
  return row?.last || null;
}

/** A number no earlier process of this store had: names may come back after a restart, epochs do not. */
function openEpoch(db: Database, now: number): number {
  const last = db.get<{ epoch: number | null }>("select max(epoch) as epoch from instances")?.epoch ?? 0;
  db.run("insert into instances (epoch, started_at, lease_until) values (?, ?, ?)", last + 1, now, now);
  return last + 1;
}

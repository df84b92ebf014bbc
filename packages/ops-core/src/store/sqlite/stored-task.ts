import type { SQLInputValue } from "node:sqlite";
import type { AttemptStatus } from "../../domain/tasks/transitions.ts";
import type { AttemptRow, TaskColumns, TaskRow } from "./task-row.ts";

/** A row of `tasks` as it is stored. */
export interface StoredTask extends TaskColumns {
  wake_at: number | null;
  token: string | null;
  slot: number;
  attempt_status: AttemptStatus;
  epoch: number;
  sends: number;
  probe: number;
  counted: number;
  attempt_created_at: number;
  acknowledged_at: number | null;
  attempt_ended_at: number | null;
  timeout_at: number;
  wake_for: AttemptRow["wake_for"];
  moved: number;
  evidence: string | null;
  attempt_error: string | null;
}

export function toTaskRow(stored: StoredTask): TaskRow {
  return {
    id: stored.id,
    name: stored.name,
    session_id: stored.session_id,
    step: stored.step,
    step_id: stored.step_id,
    part: stored.part,
    undoes: stored.undoes,
    held: stored.held,
    redrive_of: stored.redrive_of,
    limits: stored.limits,
    status: stored.status,
    requirement: stored.requirement,
    lane: stored.lane,
    order_key: stored.order_key,
    ready_at: stored.ready_at,
    attempts: stored.attempts,
    used: stored.used,
    max: stored.max,
    undelivered: stored.undelivered,
    lost: stored.lost,
    policy: stored.policy,
    fell_back: stored.fell_back,
    avoid_agent: stored.avoid_agent,
    agent_id: stored.agent_id,
    parameters: stored.parameters,
    result: stored.result,
    error: stored.error,
    dead_letter: stored.dead_letter,
    created_at: stored.created_at,
    started_at: stored.started_at,
    ended_at: stored.ended_at,
    deadline: stored.deadline,
    event_sequence: stored.event_sequence,
    last: stored.token === null ? null : toLastAttempt(stored, stored.token),
  };
}

function toLastAttempt(stored: StoredTask, token: string): AttemptRow {
  return {
    task_id: stored.id,
    n: stored.attempts,
    token,
    agent_id: stored.agent_id,
    slot: stored.slot,
    status: stored.attempt_status,
    epoch: stored.epoch,
    sends: stored.sends,
    probe: stored.probe,
    counted: stored.counted,
    created_at: stored.attempt_created_at,
    acknowledged_at: stored.acknowledged_at,
    ended_at: stored.attempt_ended_at,
    timeout_at: stored.timeout_at,
    wake_at: stored.status === "running" ? stored.wake_at : null,
    wake_for: stored.wake_for,
    moved: stored.moved,
    evidence: stored.evidence,
    error: stored.attempt_error,
  };
}

/** When something must be decided about it: the deadline while it waits, its attempt's next moment while it runs. */
function wakeAt(row: TaskRow): number | null {
  if (row.status === "pending") return row.deadline;
  return row.status === "running" ? (row.last?.wake_at ?? null) : null;
}

/** The columns that say of the last attempt what others of their name say of the task. */
export const ATTEMPT_COLUMNS: Readonly<Record<string, string>> = {
  status: "attempt_status",
  created_at: "attempt_created_at",
  ended_at: "attempt_ended_at",
  error: "attempt_error",
};

type Read = (row: TaskRow) => SQLInputValue;

/** What is written into each column of `tasks`, in the order of the table. */
const COLUMNS = new Map<string, Read>([
  ["id", (row) => row.id],
  ["name", (row) => row.name],
  ["session_id", (row) => row.session_id],
  ["step", (row) => row.step],
  ["step_id", (row) => row.step_id],
  ["status", (row) => row.status],
  ["requirement", (row) => row.requirement],
  ["lane", (row) => row.lane],
  ["order_key", (row) => row.order_key],
  ["ready_at", (row) => row.ready_at],
  ["attempts", (row) => row.attempts],
  ["used", (row) => row.used],
  ["max", (row) => row.max],
  ["undelivered", (row) => row.undelivered],
  ["lost", (row) => row.lost],
  ["policy", (row) => row.policy],
  ["fell_back", (row) => row.fell_back],
  ["avoid_agent", (row) => row.avoid_agent],
  ["agent_id", (row) => row.agent_id],
  ["parameters", (row) => row.parameters],
  ["result", (row) => row.result],
  ["error", (row) => row.error],
  ["dead_letter", (row) => row.dead_letter],
  ["created_at", (row) => row.created_at],
  ["started_at", (row) => row.started_at],
  ["ended_at", (row) => row.ended_at],
  ["deadline", (row) => row.deadline],
  ["event_sequence", (row) => row.event_sequence],
  ["wake_at", wakeAt],
  ["token", ({ last }) => last?.token ?? null],
  ["slot", ({ last }) => last?.slot ?? null],
  ["attempt_status", ({ last }) => last?.status ?? null],
  ["epoch", ({ last }) => last?.epoch ?? null],
  ["sends", ({ last }) => last?.sends ?? null],
  ["probe", ({ last }) => last?.probe ?? null],
  ["counted", ({ last }) => last?.counted ?? null],
  ["attempt_created_at", ({ last }) => last?.created_at ?? null],
  ["acknowledged_at", ({ last }) => last?.acknowledged_at ?? null],
  ["attempt_ended_at", ({ last }) => last?.ended_at ?? null],
  ["timeout_at", ({ last }) => last?.timeout_at ?? null],
  ["wake_for", ({ last }) => last?.wake_for ?? null],
  ["moved", ({ last }) => last?.moved ?? null],
  ["evidence", ({ last }) => last?.evidence ?? null],
  ["attempt_error", ({ last }) => last?.error ?? null],
  ["part", (row) => row.part],
  ["undoes", (row) => row.undoes],
  ["held", (row) => row.held],
  ["redrive_of", (row) => row.redrive_of],
  ["limits", (row) => row.limits],
]);

const NAMES = [...COLUMNS.keys()];
const READS = [...COLUMNS.values()];

/** The columns of an attempt. */
export const OF_ATTEMPT: readonly string[] = NAMES.slice(NAMES.indexOf("token"), NAMES.indexOf("part"));

export const INSERT_TASK = `insert into tasks (${NAMES.join(", ")}) values (${NAMES.map(() => "?").join(", ")})`;

export function insertValues(row: TaskRow): SQLInputValue[] {
  return READS.map((read) => read(row));
}

/** Writes of some columns, by their names. */
const updates = new Map<string, { readonly sql: string; readonly reads: readonly Read[] }>();

/** A write of the columns that changed, and of no index beside theirs. */
export function updateOf(row: TaskRow, changed: ReadonlySet<string>): { sql: string; values: SQLInputValue[] } {
  const key = [...changed].join();
  let update = updates.get(key);
  if (update === undefined) {
    // What it waits for may change with its status.
    const columns = [...new Set([...changed, ...(changed.has("status") ? ["wake_at"] : [])])];
    update = {
      sql: `update tasks set ${columns.map((column) => `${column} = ?`).join(", ")} where id = ?`,
      reads: columns.map((column) => COLUMNS.get(column) ?? unknownColumn(column)),
    };
    updates.set(key, update);
  }
  const values = update.reads.map((read) => read(row));
  values.push(row.id);
  return { sql: update.sql, values };
}

function unknownColumn(column: string): never {
  throw new Error(`tasks have no column ${column}`);
}

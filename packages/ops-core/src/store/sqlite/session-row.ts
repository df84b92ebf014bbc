import type { Blocked } from "../../domain/blocked.ts";
import type { Pause, SessionRecord } from "../../domain/sessions/session.ts";
import type { SessionStatus } from "../../domain/sessions/transitions.ts";
import { pausedBlock } from "../../domain/sessions/waiting.ts";
import type { TaskError } from "../../domain/tasks/task.ts";
import type { Kept } from "../../domain/workflows/advance.ts";
import type { StepRow } from "./steps.ts";
import type { Tx } from "./tx.ts";

/** The format of session state this program writes; it leaves sessions of a newer format alone. */
export const SESSION_FORMAT = 1;

export interface SessionRow {
  id: string;
  format: number;
  workflow_id: string;
  workflow_version: string;
  plan_hash: string;
  agent_id: string | null;
  status: SessionStatus;
  labels: string;
  /** Null, too, where it is large. */
  input: string | null;
  large_input: number;
  result: string | null;
  error: string | null;
  failure: string | null;
  failed_steps: string;
  open: number;
  waiting: number;
  ended: number;
  undo_total: number | null;
  undo_failed: number | null;
  next_key: number;
  event_sequence: number;
  callback_url: string | null;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
  wake_at: number | null;
  parent_id: string | null;
  parent_step: number | null;
  parent_part: number | null;
  depth: number;
  pause: string | null;
  priority: number;
  forked_from: string | null;
}

/** What a session goes on from. */
export interface Fork {
  readonly source: string;
  /** The step that it was asked to begin at. */
  readonly from: string | null;
  readonly kept: ReadonlyMap<number, Kept>;
  /** The rows of the source's steps. */
  readonly steps: ReadonlyMap<number, StepRow>;
}

/** What is known of a session when it begins. */
export interface NewSession {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly planHash: string;
  readonly agentId: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** JSON text or null. */
  readonly input: string | null;
  readonly callbackUrl: string | null;
  readonly priority?: number;
  readonly fork?: Fork;
  /** The step that it is, in a session of its own. */
  readonly parent: { readonly id: string; readonly step: number; readonly part: number; readonly depth: number } | null;
}

export function newSessionRow({ parent, ...session }: NewSession, now: number): SessionRow {
  return {
    id: session.id,
    format: SESSION_FORMAT,
    workflow_id: session.workflowId,
    workflow_version: session.workflowVersion,
    plan_hash: session.planHash,
    agent_id: session.agentId,
    status: "started",
    labels: JSON.stringify(session.labels),
    ...inputColumns(session.input),
    result: null,
    error: null,
    failure: null,
    failed_steps: "[]",
    open: 0,
    waiting: 0,
    ended: 0,
    undo_total: null,
    undo_failed: null,
    next_key: 0,
    event_sequence: 0,
    callback_url: session.callbackUrl,
    created_at: now,
    updated_at: now,
    ended_at: null,
    wake_at: null,
    parent_id: parent?.id ?? null,
    parent_step: parent?.step ?? null,
    parent_part: parent?.part ?? null,
    depth: parent === null ? 0 : parent.depth + 1,
    pause: null,
    priority: session.priority ?? 0,
    forked_from: session.fork?.source ?? null,
  };
}

/** Characters of an input that the session's own row still holds; it is written anew with each change of the session. */
const SMALL_INPUT = 1_024;

function inputColumns(input: string | null): Pick<SessionRow, "input" | "large_input"> {
  const isLarge = input !== null && input.length > SMALL_INPUT;
  return { input: isLarge ? null : input, large_input: isLarge ? 1 : 0 };
}

/** What is written once, when a session begins. */
const FIXED = [
  "id",
  "format",
  "workflow_id",
  "workflow_version",
  "plan_hash",
  "agent_id",
  "input",
  "large_input",
  "callback_url",
  "created_at",
  "parent_id",
  "parent_step",
  "parent_part",
  "depth",
  "priority",
  "forked_from",
] as const satisfies readonly (keyof SessionRow)[];

/** What changes while it goes on. */
const CHANGING = [
  "status",
  "labels",
  "result",
  "error",
  "failure",
  "failed_steps",
  "open",
  "waiting",
  "ended",
  "undo_total",
  "undo_failed",
  "next_key",
  "event_sequence",
  "updated_at",
  "ended_at",
  "wake_at",
  "pause",
] as const satisfies readonly (keyof SessionRow)[];

export type ChangingColumn = (typeof CHANGING)[number];

const COLUMNS = [...FIXED, ...CHANGING];
const INSERT = `insert into sessions (${COLUMNS.join(", ")}) values (${COLUMNS.map(() => "?").join(", ")})`;
const UPDATE = updateOf(CHANGING);

/** What one step after another changes, of which no index knows. */
const COUNTS = [
  "open",
  "waiting",
  "ended",
  "next_key",
  "event_sequence",
  "updated_at",
] as const satisfies readonly ChangingColumn[];
const UPDATE_COUNTS = updateOf(COUNTS);
export const isCount: ReadonlySet<string> = new Set(COUNTS);

function updateOf(columns: readonly ChangingColumn[]): string {
  return `update sessions set ${columns.map((column) => `${column} = ?`).join(", ")} where id = ?`;
}

export function insertSession(tx: Tx, row: SessionRow): void {
  tx.run(INSERT, ...COLUMNS.map((column) => row[column]));
}

export function updateSession(tx: Tx, row: SessionRow, onlyCounts: boolean): void {
  if (onlyCounts) tx.run(UPDATE_COUNTS, ...COUNTS.map((column) => row[column]), row.id);
  else tx.run(UPDATE, ...CHANGING.map((column) => row[column]), row.id);
}

/**
 * @param input what the row does not hold of it, where it is large
 * @param uncertainSteps what only the rows of its steps say
 */
export function toSessionRecord(
  row: SessionRow,
  blocked: Blocked | null = null,
  input: string | null = row.input,
  uncertainSteps: readonly string[] = [],
): SessionRecord {
  const pause = row.pause === null ? null : (JSON.parse(row.pause) as Pause);
  return {
    id: row.id,
    workflowId: row.workflow_id,
    workflowVersion: row.workflow_version,
    planHash: row.plan_hash,
    agentId: row.agent_id,
    status: row.status,
    labels: JSON.parse(row.labels) as Record<string, string>,
    input,
    result: row.result,
    error: row.error === null ? null : (JSON.parse(row.error) as TaskError),
    failedSteps: JSON.parse(row.failed_steps) as string[],
    uncertainSteps,
    compensation: compensationOf(row),
    parentId: row.parent_id,
    parentStep: row.parent_step,
    forkedFrom: row.forked_from,
    priority: row.priority,
    pause,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    endedAt: row.ended_at,
    blocked: pause === null ? blocked : pausedBlock(row.id, pause),
  };
}

function compensationOf(row: SessionRow): SessionRecord["compensation"] {
  if (row.undo_total === null) return null;
  if (row.ended_at === null) return "running";
  return row.undo_failed === 0 ? "complete" : "incomplete";
}

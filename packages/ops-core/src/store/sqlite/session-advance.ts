import type { JsonObject } from "@opspawn/contract";
import { type StepStatus, stepHasEnded } from "../../domain/sessions/transitions.ts";
import { type Advance, advance, type SessionInput, type StepChange } from "../../domain/workflows/advance.ts";
import { applyEffect } from "./session-effects.ts";
import type { Fork } from "./session-row.ts";
import type { SessionUnit } from "./session-unit.ts";
import { noteItemFailure } from "./step-items.ts";
import { keepsRow, markStep, noteStepWithoutTask, writeKeptStep, writeStepRow } from "./step-row.ts";
import type { InboxEntry, Tx } from "./tx.ts";

/** Gives one input to a session and does everything that follows from it, in other sessions too, in this transaction. */
export function advanceSession(tx: Tx, session: SessionUnit, input: SessionInput): void {
  tx.inbox.push({ session, input, startAt: tx.now });
  drainInbox(tx);
}

/** Takes up all inputs that wait, and those that they lead to. */
export function drainInbox(tx: Tx): void {
  for (let entry = tx.inbox.shift(); entry !== undefined; entry = tx.inbox.shift()) take(tx, entry);
}

function take(tx: Tx, { session, input: given, startAt }: InboxEntry): void {
  const input = typeof given === "function" ? given() : given;
  if (input === null) return;
  noteItemFailure(tx, session, input);
  const move = advance(session.plan, session, input);
  for (const change of move.steps) writeStep(tx, session, change);
  writeSession(session, move);
  for (const effect of move.effects) {
    const answer = applyEffect(tx, session, effect, startAt);
    if (answer !== null) tx.inbox.push({ session, input: answer, startAt });
  }
}

function writeSession(session: SessionUnit, move: Advance): void {
  session.change({ open: move.open, waiting: move.waiting, ended: move.ended });
  if (move.failure !== null) session.change({ failure: JSON.stringify(move.failure) });
  if (move.undoing !== null) session.change({ undo_total: move.undoing.total, undo_failed: move.undoing.failed });
  if (move.failedSteps.length > 0) {
    session.change({ failed_steps: addSteps(session.row.failed_steps, move.failedSteps) });
  }
  const before = session.status;
  if (move.status === before) return;
  session.change({ status: move.status });
  if (move.status === "waiting") session.event("session.waiting", {});
  // Who pauses a session, or lets it go on, says so.
  else if (before !== "paused" && move.status !== "paused") session.event("session.resumed", {});
}

function addSteps(text: string, steps: readonly string[]): string {
  return JSON.stringify([...(JSON.parse(text) as string[]), ...steps]);
}

/** Keeps what no task says: the dependencies left of a step that waits, and how a step without a task stands. */
function writeStep(tx: Tx, session: SessionUnit, change: StepChange): void {
  const step = session.plan.steps[change.index];
  if (step === undefined) return;
  const { status } = change;
  if (session.fork !== null && takeOver(tx, session, session.fork, step.id, change)) return;
  const before = keepsRow(step) ? session.step(change.index).status : null;
  session.know(change.index, change);
  if (isAfterEnd(status, before)) {
    markStep(tx, session.id, change.index, status);
    stepEvent(session, step.id, change);
    return;
  }
  if (before !== null) {
    const result = status === "completed" ? session.givenResult(change.index) : null;
    writeStepRow(tx, session.id, change, result);
    if (status !== before) stepEvent(session, step.id, change);
    return;
  }
  if (status === "running" || status === "completed") return;
  if (noteStepWithoutTask(tx, session.id, change)) stepEvent(session, step.id, change);
}

/** What a row of its own says of a step stays when it is undone, or doubted, after its end. */
function isAfterEnd(status: StepStatus, before: StepStatus | null): status is "compensated" | "uncertain" {
  if (status === "compensated") return true;
  return status === "uncertain" && (before === null || stepHasEnded(before));
}

/** A step that ended in the session that this one goes on from; false when it is none. */
function takeOver(tx: Tx, session: SessionUnit, fork: Fork, stepId: string, change: StepChange): boolean {
  const row = fork.kept.has(change.index) ? fork.steps.get(change.index) : undefined;
  if (row === undefined || !stepHasEnded(change.status)) return false;
  session.know(change.index, change);
  writeKeptStep(tx, session.id, change, fork.source, row);
  const sessionId = row.source ?? fork.source;
  session.event("step.taken_over", { stepId, status: change.status, sessionId });
  return true;
}

/** Steps that are as their task is have its events; these are those of the others. */
function stepEvent(session: SessionUnit, stepId: string, { status, items, error }: StepChange): void {
  if (status === "pending") return;
  const data: JsonObject = { stepId };
  if (error !== undefined) data.error = { ...error };
  if (items !== undefined) data.items = { total: items.total, failed: items.failed };
  session.event(status === "running" ? "step.started" : `step.${status}`, data);
}

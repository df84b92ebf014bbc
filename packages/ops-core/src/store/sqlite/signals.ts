import { OpspawnError } from "@opspawn/contract";
import { SIGNALS_WAITING_MAX } from "../../domain/sessions/signals.ts";
import type { WorkflowPlan } from "../../domain/workflows/plan.ts";
import { advanceSession } from "./session-advance.ts";
import { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";

/**
 * Gives a signal to the step that waits for it longest, or keeps it for the next one that will.
 * @param payload JSON text
 * @throws OpspawnError `session_not_found`, `session_terminal`, `signal_unknown`, `too_many_signals`
 */
export function signalSession(tx: Tx, sessionId: string, name: string, payload: string): { delivered: boolean } {
  const session = SessionUnit.load(tx, sessionId);
  if (session === undefined) throw new OpspawnError("session_not_found", `Session not found: ${sessionId}`);
  if (session.row.ended_at !== null) {
    throw new OpspawnError("session_terminal", `Session ${sessionId} is ${session.status} already.`);
  }
  needSignal(session.plan, name);
  const waiting = tx.get<{ step: number }>(
    `select step from session_steps where session_id = ? and status = 'waiting' and signal = ?
      order by started_at, step limit 1`,
    session.id,
    name,
  );
  session.event("session.signalled", { name, delivered: waiting !== undefined });
  if (waiting === undefined) {
    keepSignal(tx, session.id, name, payload);
    return { delivered: false };
  }
  session.giveResult(waiting.step, payload);
  advanceSession(tx, session, { type: "step_completed", step: waiting.step, part: 0 });
  return { delivered: true };
}

function needSignal(plan: WorkflowPlan, name: string): void {
  const known = new Set(plan.steps.flatMap(({ wait }) => (wait?.kind === "signal" ? [wait.signal] : [])));
  if (known.has(name)) return;
  const list = [...known].map((each) => `\`${each}\``).join(", ");
  const hint = list === "" ? "it waits for no signal" : `it waits for ${list}`;
  throw new OpspawnError("signal_unknown", `Workflow \`${plan.id}\` knows no signal \`${name}\`: ${hint}.`);
}

function keepSignal(tx: Tx, sessionId: string, name: string, payload: string): void {
  const { kept, last } = tx.get<{ kept: number; last: number | null }>(
    "select count(*) as kept, max(n) as last from signals where session_id = ? and name = ?",
    sessionId,
    name,
  ) ?? { kept: 0, last: null };
  if (kept >= SIGNALS_WAITING_MAX) {
    const message = `${SIGNALS_WAITING_MAX} signals \`${name}\` wait to be taken by session ${sessionId} already.`;
    throw new OpspawnError("too_many_signals", message);
  }
  tx.run(
    "insert into signals (session_id, name, n, payload, received_at) values (?, ?, ?, ?, ?)",
    sessionId,
    name,
    (last ?? 0) + 1,
    payload,
    tx.now,
  );
}

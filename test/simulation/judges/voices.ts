import type { JsonObject } from "@opspawn/contract";
import type { Rows } from "../../checker/evidence.ts";
import type { History } from "../../checker/history.ts";
import type { Decided, Voice } from "../voice.ts";

interface ApprovalRow {
  readonly id: string;
  readonly status: string;
  readonly decided_by: string | null;
  readonly task_id: string | null;
  readonly result: string | null;
}

/** What the client said to sessions counts once, as it was said, and nothing else does. */
export function* voicesOf(db: Rows, history: History, { signals, decisions }: Voice): Iterable<string> {
  const sessions = new Set(signals.map(({ session }) => session));
  for (const session of sessions) {
    const said = signals.filter((signal) => signal.session === session);
    const events = (history.streams.get(session) ?? []).filter(({ type }) => type === "session.signalled");
    const accepted = said.filter(({ answer }) => answer === "accepted").length;
    const possible = said.filter(({ answer }) => answer !== "refused").length;
    if (events.length < accepted || events.length > possible)
      yield `session ${session} was signalled ${events.length} times, ${accepted} to ${possible} are right`;
  }
  yield* signalsTaken(db, signals);
  yield* decided(db, decisions);
}

/** Each signal is taken once, by a step that waits for it. */
function* signalsTaken(db: Rows, signals: Voice["signals"]): Iterable<string> {
  const taken = new Set<string>();
  const rows = db.all<{
    session: string;
    step: number;
    result: string;
    document: string;
  }>(`select p.session_id as session,
    p.step, p.result, d.document from session_steps p join sessions s on s.id = p.session_id
    join definitions d on d.hash = s.plan_hash where p.result like '{"word":%'`);
  for (const { session, step, result, document } of rows) {
    const wait = (JSON.parse(document) as { tasks: JsonObject[] }).tasks[step]?.wait as JsonObject | undefined;
    const said = signals.find((signal) => signal.payload === result);
    if (said?.session !== session || said.name !== wait?.signal) yield `step ${step} of ${session} took ${result}`;
    if (taken.has(result)) yield `signal ${result} was taken twice`;
    taken.add(result);
  }
}

function* decided(db: Rows, decisions: Voice["decisions"]): Iterable<string> {
  const rows = db.all<ApprovalRow>(`select a.id, a.status, a.decided_by, a.task_id, p.result from approvals a
    left join session_steps p on p.session_id = a.session_id and p.step = a.step`);
  for (const row of rows) {
    const { id, status, decided_by: by, result } = row;
    const own = decisions.filter(({ approval }) => approval === id);
    if (by !== null && !own.some((said) => counts(said, row)))
      yield `approval ${id} is ${status} by ${by}, who has not said that`;
    const fooled = own.filter((said) => said.answer === "accepted" && !counts(said, row));
    for (const said of fooled) yield `approval ${id} is ${status}; ${said.by} was told otherwise`;
    // Whoever says that an effect happened completes a task.
    if (row.task_id !== null) continue;
    const told = JSON.parse(result ?? "{}") as JsonObject;
    if (status === "approved" && (told.approved !== true || told.by !== by))
      yield `approval ${id} gave its step ${result}`;
  }
}

function counts({ approved, by }: Decided, { status, decided_by }: ApprovalRow): boolean {
  return by === decided_by && status === (approved ? "approved" : "rejected");
}

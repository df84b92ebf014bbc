import type { JsonObject } from "@opspawn/contract";
import { parseDuration } from "@opspawn/contract";
import type { Rows } from "../../checker/evidence.ts";
import type { Fact, History } from "../../checker/history.ts";

interface ApprovalRow {
  readonly id: string;
  readonly session_id: string;
  readonly step: number;
  readonly reminders: number;
  readonly requested_at: number;
  readonly document: string;
}

const APPROVALS = `select a.*, d.document from approvals a join sessions s on s.id = a.session_id
  join definitions d on d.hash = s.plan_hash where a.task_id is null`;

/** Each interval of an approval brings one reminder at most, and none comes before its time; that they come shows on the way. */
export function* remindersOf(db: Rows, history: History): Iterable<string> {
  for (const row of db.all<ApprovalRow>(APPROVALS)) {
    const facts = history.streams.get(row.session_id) ?? [];
    const own = facts.filter(({ type, data }) => type === "approval.reminded" && data.approvalId === row.id);
    for (const finding of judge(row, own)) yield `approval ${row.id} ${finding}`;
  }
}

function* judge(row: ApprovalRow, reminded: readonly Fact[]): Iterable<string> {
  const { tasks } = JSON.parse(row.document) as { readonly tasks: readonly JsonObject[] };
  const every = parseDuration(String((tasks[row.step]?.approval as JsonObject | undefined)?.remindEvery));
  if (row.reminders !== reminded.length) yield `counts ${row.reminders} reminders, and had ${reminded.length}`;
  if (every === null) {
    if (reminded.length > 0) yield "had reminders, and asked for none";
    return;
  }
  let last = 0;
  for (const [i, { at, data }] of reminded.entries()) {
    const interval = Math.floor((at - row.requested_at) / every);
    if (interval <= last) yield `had reminder ${i + 1} before its time`;
    if (data.reminders !== i + 1) yield `called reminder ${i + 1} number ${String(data.reminders)}`;
    last = interval;
  }
}

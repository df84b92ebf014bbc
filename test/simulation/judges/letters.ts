import type { Rows } from "../../checker/evidence.ts";
import { groupBy } from "../../checker/invariant.ts";
import type { Letters, Used } from "../letters.ts";

interface LinkRow {
  readonly id: string;
  readonly approval_id: string;
  readonly decision: string;
  readonly key_id: string;
  readonly expires_at: number;
  readonly used_at: number | null;
  readonly status: string;
  readonly decided_by: string | null;
  readonly ended_at: number | null;
  readonly revoked_at: number | null;
}

const LINKS = `select l.*, a.status, a.decided_by, a.ended_at, k.revoked_at from approval_links l
  join approvals a on a.id = l.approval_id left join keys k on k.id = l.key_id`;
const WORDS: Readonly<Record<string, string>> = { approved: "approve", rejected: "reject" };

/** A link decides once at most, in its time and as it may, and whoever may decide by it can. */
export function* lettersOf(db: Rows, { uses }: Letters): Iterable<string> {
  const rows = new Map(db.all<LinkRow>(LINKS).map((row) => [row.id, row]));
  for (const row of rows.values()) if (row.used_at !== null) yield* used(row);
  for (const by of db.texts("select decided_by from approvals where decided_by like 'link %'")) {
    const link = rows.get(by.split(" ")[1] ?? "");
    if (link?.used_at == null) yield `${by} decided, and is not used up`;
  }
  for (const use of uses) yield* useOf(use, rows.get(use.link));
  const accepted = uses.filter(({ answer }) => answer === "accepted").map(({ link }) => link);
  for (const [link, all] of groupBy(accepted, (each) => each)) {
    if (all.length > 1) yield `${link} was used ${all.length} times`;
  }
}

function* useOf(use: Used, row: LinkRow | undefined): Iterable<string> {
  if (row === undefined) yield `${use.link} was used, and is gone`;
  else if (use.answer === "accepted" && row.used_at === null) yield `${use.link} was used, and is not used up`;
  else yield* refused(use, row);
}

function* used(row: LinkRow): Iterable<string> {
  const { id, approval_id: approval, used_at: at, status } = row;
  const name = `${id} was used for approval ${approval}`;
  if (row.decided_by?.split(" ")[1] !== id) yield `${name}, which is ${status} by ${row.decided_by}`;
  if (at !== row.ended_at) yield `${name} when that was decided`;
  if (at !== null && at >= row.expires_at) yield `${name} after its time`;
  if (at !== null && row.revoked_at !== null && at > row.revoked_at) yield `${name} after its key had ended`;
  if (row.decision !== "any" && row.decision !== WORDS[status])
    yield `${name} to make it ${status}, and may ${row.decision}`;
}

function* refused({ link, approved, refusedAt }: Used, row: LinkRow): Iterable<string> {
  if (refusedAt === null) return;
  const isAllowed = row.decision === "any" || row.decision === (approved ? "approve" : "reject");
  const ends = [row.used_at, row.expires_at, row.revoked_at, row.ended_at];
  if (isAllowed && !ends.some((at) => at !== null && at <= refusedAt)) yield `${link} was refused without a cause`;
}

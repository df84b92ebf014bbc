import type { NamedMutant } from "./named-mutant.ts";

/** Links that decide approvals, and reminders of them. */
export const LINKS: readonly NamedMutant[] = [
  {
    name: "link-is-good-for-ever",
    is: "a link that was used is taken again",
    rule: "8",
    file: "store/sqlite/approval-links.ts",
    changes: [{ from: "where id = ? and used_at is null and expires_at > ?", to: "where id = ? and expires_at > ?" }],
  },
  {
    name: "link-outlives-its-time",
    is: "a link decides after its time",
    rule: "16",
    file: "store/sqlite/approval-links.ts",
    changes: [{ from: "used_at is null and expires_at > ?", to: "used_at is null and expires_at <> ?" }],
  },
  {
    name: "link-outlives-its-key",
    is: "a link decides after the key was revoked that made it",
    rule: "26",
    file: "store/sqlite/approval-links.ts",
    changes: [{ from: "(k.revoked_at is not null or k.expires_at <= ?)", to: "k.expires_at <= ?" }],
  },
  {
    name: "link-decides-either-way",
    is: "a link to approve by rejects as well",
    rule: "26",
    file: "store/sqlite/approval-links.ts",
    changes: [{ from: "(decision = 'any' or decision = ?)", to: "(decision = 'any' or 'any' <> ?)" }],
  },
  {
    name: "any-token-opens",
    is: "a link is opened with a token that is not its own",
    rule: "26",
    file: "domain/approvals/links.ts",
    changes: [
      {
        from: "!timingSafeEqual(Buffer.from(link.hash), Buffer.from(hashOf(token)))",
        to: '!timingSafeEqual(Buffer.from(link.hash), Buffer.from(token === "" ? hashOf(token) : link.hash))',
      },
    ],
  },
  {
    name: "decided-unseen",
    is: "a link decides about something else than what its reader was shown",
    rule: "2",
    file: "store/sqlite/approval-links.ts",
    changes: [
      {
        from: "decideApproval(tx, link.approval_id, decision);",
        to: "decideApproval(tx, link.approval_id, { ...decision, subjectHash: undefined });",
      },
    ],
  },
  {
    name: "reminded-once",
    is: "an approval is asked again once, however long nobody decides",
    rule: "18",
    file: "domain/approvals/reminders.ts",
    changes: [{ from: "given >= REMINDERS_MAX", to: "given >= 1" }],
  },
  {
    name: "reminded-early",
    is: "an approval is asked again a second before its interval is over",
    rule: "16",
    file: "domain/approvals/reminders.ts",
    changes: [{ from: "at >= expiresAt ? null : at;", to: "at >= expiresAt ? null : at - 1_000_000;" }],
  },
  {
    name: "reminded-after-its-end",
    is: "an approval that was decided is asked again",
    rule: "5",
    file: "store/sqlite/approval-decisions.ts",
    changes: [
      {
        from: "where id = ? and status = 'pending' and wake_at <= ?\"",
        to: "where id = ? and status <> 'expired' and wake_at <= ?\"",
      },
      { from: "remind_at = null, wake_at = null", to: "remind_at = null, wake_at = remind_at" },
    ],
  },
];

import { createHash, timingSafeEqual } from "node:crypto";
import { OpspawnError } from "@opspawn/contract";
import { DAY, MINUTE } from "../clock.ts";
import type { Actor } from "../context.ts";
import type { Ports } from "../ports.ts";
import type { Approval, ApprovalLink } from "./approval.ts";
import { checkMayDecide } from "./deciders.ts";
import { needApproval } from "./view.ts";

/** Where links lead; `?token=` is added, since paths are logged and queries are not. */
export const LINK_PATH = "/v1/opscore/approval-links";
export const LINK_LIFETIME = DAY;
export const LINK_LIFETIME_MIN = MINUTE;
export const LINK_LIFETIME_MAX = 30 * DAY;

/** What somebody finds who opens a link. `ended` and `decided`: there is nothing to decide any more. */
export interface OpenedLink {
  readonly link: ApprovalLink;
  readonly approval: Approval;
  readonly state: "open" | "used" | "expired" | "withdrawn" | "decided";
}

export interface LinkRequest {
  readonly approvalId: string;
  readonly decision: ApprovalLink["decision"];
  /** Microseconds. */
  readonly lifetime: number;
  readonly recipient: string | undefined;
}

/**
 * Makes a link for what the caller may decide itself. Its token, 256 random bits, is in the address and nowhere else.
 * @throws OpspawnError `approval_not_found`, `approval_decided`, `too_many_links`, `forbidden`
 */
export async function makeLink(
  { store, clock, ids, publicUrl }: Ports,
  actor: Actor,
  { approvalId, decision, lifetime, recipient }: LinkRequest,
): Promise<{ link: ApprovalLink; url: string }> {
  const approval = await needApproval(store.approvals, approvalId);
  checkMayDecide(actor, approval);
  const token = ids.secret() + ids.secret();
  const until = clock.now() + lifetime;
  const link: ApprovalLink = {
    id: `lnk_${ids.uuid()}`,
    approvalId,
    decision,
    hash: hashOf(token),
    recipient: recipient ?? actor.name,
    keyId: actor.id,
    expiresAt: approval.expiresAt === null ? until : Math.min(until, approval.expiresAt),
    usedAt: null,
  };
  await store.approvals.addLink(link);
  return { link, url: `${publicUrl()}${LINK_PATH}/${link.id}?token=${token}` };
}

/** Looks at a link; changes nothing. @throws OpspawnError `approval_link_not_found` for a token that is not its own, too */
export async function openLink({ store, clock }: Ports, id: string, token: string): Promise<OpenedLink> {
  const link = await store.approvals.link(id);
  if (link === null || !timingSafeEqual(Buffer.from(link.hash), Buffer.from(hashOf(token)))) {
    throw new OpspawnError("approval_link_not_found", "There is no such link.");
  }
  const [approval, key] = await Promise.all([
    needApproval(store.approvals, link.approvalId),
    store.keys.get(link.keyId),
  ]);
  const now = clock.now();
  const isWithdrawn = key !== null && (key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= now));
  return { link, approval, state: stateOf(link, approval, isWithdrawn, now) };
}

function stateOf(link: ApprovalLink, approval: Approval, isWithdrawn: boolean, now: number): OpenedLink["state"] {
  if (link.usedAt !== null) return "used";
  if (approval.status !== "pending") return "decided";
  if (link.expiresAt <= now) return "expired";
  return isWithdrawn ? "withdrawn" : "open";
}

/**
 * Decides by a link that was found open, and uses it up.
 * @throws OpspawnError `approval_link_ended`, `approval_decided`, `approval_stale`
 */
export function useLink(
  { store }: Ports,
  { link }: OpenedLink,
  decision: { readonly approved: boolean; readonly comment: string | null; readonly subjectHash: string },
): Promise<Approval> {
  return store.approvals.decideByLink(link.id, {
    ...decision,
    by: `link ${link.id} of ${link.keyId} for ${link.recipient}`,
  });
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

import { type ApprovalView, formatTime, type OperationInput, type operations } from "@opspawn/contract";
import { blockedView } from "../blocked-view.ts";
import type { Context } from "../context.ts";
import type { NounHandlers, Ports } from "../ports.ts";
import { invalidField, readDuration } from "../request-fields.ts";
import { checkMayDecide, nameOf } from "./deciders.ts";
import { LINK_LIFETIME, LINK_LIFETIME_MAX, LINK_LIFETIME_MIN, makeLink } from "./links.ts";
import { approvalBlock, approvalView, explainApproval, needApproval } from "./view.ts";

type Decision = OperationInput<typeof operations.approvals.approve>;

export function approvalHandlers(ports: Ports): NounHandlers<"approvals"> {
  const { approvals } = ports.store;
  const decide = async ({ actor }: Context, { params, body }: Decision, approved: boolean): Promise<ApprovalView> => {
    const { approvalId } = params;
    checkMayDecide(actor, await needApproval(approvals, approvalId));
    const { comment = null, subjectHash } = body ?? {};
    return approvalView(await approvals.decide(approvalId, { approved, by: nameOf(actor), comment, subjectHash }));
  };
  return {
    async list(_context, { query }) {
      const { status, session, workflow, ...page } = query;
      const { items, nextCursor } = await approvals.list(page, { status, session, workflow });
      return { items: items.map(approvalView), nextCursor };
    },
    async get(_context, { params }) {
      return approvalView(await needApproval(approvals, params.approvalId));
    },
    async why(_context, { params }) {
      const approval = await needApproval(approvals, params.approvalId);
      const blocked = blockedView(approvalBlock(approval));
      return { approvalId: approval.id, status: approval.status, blocked, explanation: explainApproval(approval) };
    },
    approve: (context, input) => decide(context, input, true),
    reject: (context, input) => decide(context, input, false),
    async link({ actor }, { params, body }) {
      const { decision, expiresIn, for: recipient } = body;
      const lifetime = readLifetime(expiresIn);
      const made = await makeLink(ports, actor, { ...params, decision, lifetime, recipient });
      const { link, url } = made;
      return {
        linkId: link.id,
        approvalId: link.approvalId,
        decision,
        for: link.recipient,
        url,
        expiresAt: formatTime(link.expiresAt),
      };
    },
  };
}

/** How long a link can be used; one that nobody could open in time is a mistake. */
function readLifetime(expiresIn: string | undefined): number {
  if (expiresIn === undefined) return LINK_LIFETIME;
  const loc = ["body", "expiresIn"];
  const lifetime = readDuration(expiresIn, loc, LINK_LIFETIME_MAX, "30d");
  if (lifetime < LINK_LIFETIME_MIN) throw invalidField(loc, "must be at least 1m");
  return lifetime;
}

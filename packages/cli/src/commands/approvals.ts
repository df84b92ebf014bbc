import type { ApprovalView } from "@opspawn/contract";
import type { ApprovalQuery, LinkRequest } from "@opspawn/sdk";
import { type Command, Option } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { duration } from "../options.ts";
import { type Field, jsonLines } from "../output/output.ts";
import { toneOf } from "../output/style.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";
import { age } from "../output/time.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";

interface DecideOptions {
  readonly comment?: string;
  readonly hash?: string;
}

interface LinkOptions {
  readonly decision: NonNullable<LinkRequest["decision"]>;
  readonly expires?: string;
  readonly for?: string;
}

/** `opspawn approvals`: what workflows ask people to decide. */
export function addApprovals(program: Command, context: Context): void {
  const approvals = noun(program, "approvals", "List, show and decide what workflows ask.", [
    "approvals list --status pending",
    'approvals approve APPROVAL --comment "Go ahead"',
  ]);
  const list = withPaging(approvals.command("list").description("List approvals, newest first."))
    .option("--status <status>", "pending, approved, rejected, expired or cancelled")
    .option("--session <id>", "of this session")
    .option("--workflow <id>", "of this workflow")
    .action(context.action(listApprovals));
  withExamples(list, ["approvals list --status pending", "approvals list --workflow publish --all -o json"]);

  const show = approvals
    .command("show <approval>")
    .alias("get")
    .description("Show what is to be decided, and what was.")
    .action(context.action(async (call, id: string) => showApproval(call, await call.client.approvals.get(id))));
  withExamples(show, ["approvals show APPROVAL"]);

  addDecision(approvals, context, "approve", "Approve; the session goes on.");
  addDecision(approvals, context, "reject", "Reject; the step fails, or its onReject is taken.");

  const link = approvals
    .command("link <approval>")
    .description(
      "Make a link to decide once without a key. Its address is all that goes\nto stdout, and is shown only now.",
    )
    .addOption(
      new Option("--decision <what>", "what it can be used for").choices(["any", "approve", "reject"]).default("any"),
    )
    .option("--expires <time>", "such as 4h, at most 30d (default: 24h)", duration)
    .option("--for <name>", "whom it is for (default: the key that makes it)")
    .action(context.action(makeLink));
  withExamples(link, ["approvals link APPROVAL --for carol --expires 4h"]);
}

function addDecision(approvals: Command, context: Context, verb: "approve" | "reject", description: string): void {
  const command = approvals
    .command(`${verb} <approval>`)
    .description(description)
    .option("--comment <text>", "why; the session's result has it")
    .option("--hash <hash>", "only if it still is what had this hash")
    .action(
      context.action(async (call, id: string, { comment, hash }: DecideOptions) => {
        const approval = await call.client.approvals[verb](id, { comment, subjectHash: hash });
        call.output.done(approval, `Approval ${approval.approvalId} is ${approval.status}: ${approval.message}`);
      }),
    );
  withExamples(command, [`approvals ${verb} APPROVAL`, `approvals ${verb} APPROVAL --comment "As agreed"`]);
}

function listApprovals(call: Call, options: PageOptions & Omit<ApprovalQuery, "limit" | "cursor">): Promise<void> {
  const { status, session, workflow } = options;
  const now = call.io.clock.now();
  const columns: Column<ApprovalView>[] = [
    { title: "APPROVAL", value: (approval) => approval.approvalId, least: ID_WIDTH },
    { title: "STATUS", value: (approval) => approval.status, tone: (approval) => toneOf(approval.status) },
    { title: "AGE", value: (approval) => age(approval.requestedAt, now) },
    { title: "MESSAGE", value: (approval) => approval.message, least: 10 },
  ];
  const page = (query: ApprovalQuery) => call.client.approvals.list({ status, session, workflow, ...query });
  return showList(call, options, {
    page,
    columns,
    empty: "There are no such approvals.",
    hint: "approvals show APPROVAL",
  });
}

function showApproval(call: Call, approval: ApprovalView): void {
  const now = call.io.clock.now();
  const fields: Field[] = [
    ["Approval", approval.approvalId],
    ["Status", approval.status, toneOf(approval.status)],
    ["Message", approval.message],
    ["Workflow", approval.workflowId],
    ["Step", approval.stepId],
    ["Session", approval.sessionId],
    ["Asked", `${approval.requestedAt} (${age(approval.requestedAt, now)} ago)`],
  ];
  if (approval.approvers !== null) fields.push(["Approvers", approval.approvers.join(", ")]);
  if (approval.expiresAt !== null) fields.push(["Expires", approval.expiresAt]);
  if (approval.nextReminderAt !== null) fields.push(["Reminder", approval.nextReminderAt]);
  if (approval.blocked !== null) fields.push(["Waits for", approval.blocked.message]);
  if (approval.endedAt !== null) fields.push(["Ended", approval.endedAt]);
  if (approval.decidedBy !== null) fields.push(["Decided by", approval.decidedBy]);
  if (approval.comment !== null) fields.push(["Comment", approval.comment]);
  fields.push(["Hash", approval.subjectHash]);
  if (approval.details !== null) fields.push({ title: "Details", lines: jsonLines(approval.details) });
  call.output.record(approval, fields);
}

async function makeLink(call: Call, id: string, options: LinkOptions): Promise<void> {
  const { decision, expires, for: recipient } = options;
  const link = await call.client.approvals.link(id, { decision, expiresIn: expires, for: recipient });
  call.say(`Link ${link.linkId} for ${link.for}: works once, until ${link.expiresAt}. Keep it as you would a key.`);
  call.output.done(link, link.url);
}

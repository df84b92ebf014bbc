import type { ApprovalView } from "@opspawn/contract";
import type { ApprovalLinkRequest, ApprovalQuery } from "@opspawn/sdk";
import type { Command } from "commander";
import type { Call } from "../call.ts";
import { type Context, noun, withExamples } from "../context.ts";
import { readInput } from "../document.ts";
import { duration, oneOf } from "../options.ts";
import { type Field, jsonLines } from "../output/output.ts";
import { toneOf } from "../output/style.ts";
import { type Column, ID_WIDTH } from "../output/table.ts";
import { wrap } from "../output/text.ts";
import { age } from "../output/time.ts";
import { type PageOptions, showList, withPaging } from "../paging.ts";

const STATUSES = ["pending", "approved", "rejected", "expired", "cancelled"] as const;

/** `opspawn approvals`: what waits for somebody's decision. */
export function addApprovals(program: Command, context: Context): void {
  const approvals = noun(program, "approvals", "List and decide what workflows ask people.", [
    "approvals list --status pending",
    "approvals approve APPROVAL --comment 'looks good'",
  ]);
  const list = withPaging(approvals.command("list").description("List approvals, newest first."))
    .option("--status <status>", "pending, approved, rejected, expired or cancelled", oneOf(STATUSES))
    .option("--session <id>", "of this session")
    .option("--workflow <id>", "of this workflow")
    .action(context.action(listApprovals));
  withExamples(list, ["approvals list --status pending", "approvals list --session SESSION"]);

  const get = approvals
    .command("get <approval>")
    .alias("show")
    .description("Show what is to be decided, and what was.")
    .action(context.action(async (call, id: string) => showApproval(call, await call.client.approvals.get(id))));
  withExamples(get, ["approvals get APPROVAL"]);

  addDecision(approvals, context, "approve", "Approve: the session goes on. A decision is final.");
  addDecision(approvals, context, "reject", "Reject: the step fails, or its onReject is taken.\nA decision is final.");
  addLink(approvals, context);
}

interface DecisionOptions {
  readonly comment?: string;
  readonly hash?: string;
  readonly result?: string;
}

function addDecision(approvals: Command, context: Context, name: "approve" | "reject", description: string): void {
  const command = approvals
    .command(`${name} <approval>`)
    .description(description)
    .option("--comment <text>", "why; it is kept, and the session can read it")
    .option("--hash <hash>", "only if this is still what was looked at")
    .action(
      context.action(async (call, id: string, { comment, hash, result }: DecisionOptions) => {
        const given = result === undefined ? undefined : await readInput(call.io, result, "--result");
        const approval = await call.client.approvals[name](id, {
          ...(comment === undefined ? {} : { comment }),
          ...(hash === undefined ? {} : { subjectHash: hash }),
          ...(given === undefined ? {} : { result: given }),
        });
        call.output.done(approval, `Approval ${approval.approvalId} is ${approval.status}.`);
        call.say(`Watch it: ${call.io.settings.program} sessions watch ${approval.sessionId}`);
      }),
    );
  if (name === "approve") command.option("--result <json>", "of an effect that happened: JSON, @file, or -");
  withExamples(command, [`approvals ${name} APPROVAL --comment 'as discussed'`]);
}

interface LinkOptions {
  readonly only?: "approve" | "reject";
  readonly for?: string;
  readonly expires?: string;
}

function addLink(approvals: Command, context: Context): void {
  const link = approvals
    .command("link <approval>")
    .description("Make a link by which somebody without a key can decide, once.\nIt is printed here and nowhere else.")
    .option("--for <name>", "whom it is for, as the decision will say")
    .option("--only <decision>", "approve or reject (default: both)", oneOf(["approve", "reject"]))
    .option("--expires <duration>", "how long it can be used (default: 24h, at most 30d)", duration)
    .action(context.action(makeLink));
  withExamples(link, ["approvals link APPROVAL --for carol --expires 2h"]);
}

async function makeLink(call: Call, id: string, { only, for: recipient, expires }: LinkOptions): Promise<void> {
  const request: ApprovalLinkRequest = {
    ...(only === undefined ? {} : { decision: only }),
    ...(recipient === undefined ? {} : { for: recipient }),
    ...(expires === undefined ? {} : { expiresIn: expires }),
  };
  const link = await call.client.approvals.link(id, request);
  if (!call.output.data(link)) call.output.lines([link.url]);
  const who = `Whoever has this link can decide, once and as ${link.for}, until ${link.expiresAt}.`;
  call.say(wrap(`${who} It is not shown again.`, call.output.columns).join("\n"));
}

type ListOptions = PageOptions & Omit<ApprovalQuery, "limit" | "cursor">;

function listApprovals(call: Call, options: ListOptions): Promise<void> {
  const { status, session, workflow } = options;
  const now = call.io.clock.now();
  const columns: Column<ApprovalView>[] = [
    { title: "APPROVAL", value: (approval) => approval.approvalId, least: ID_WIDTH },
    { title: "STATUS", value: (approval) => approval.status, tone: (approval) => toneOf(approval.status) },
    { title: "AGE", value: (approval) => age(approval.requestedAt, now) },
    { title: "STEP", value: (approval) => approval.stepId, least: 6 },
    { title: "MESSAGE", value: (approval) => approval.message, least: 8 },
  ];
  const page = (query: ApprovalQuery) => call.client.approvals.list({ status, session, workflow, ...query });
  return showList(call, options, {
    page,
    columns,
    empty: "There are no such approvals.",
    hint: "approvals get APPROVAL",
  });
}

function showApproval(call: Call, approval: ApprovalView): void {
  const now = call.io.clock.now();
  const { approvalId, status, approvers, details, reminders, nextReminderAt } = approval;
  const fields: Field[] = [
    ["Approval", approvalId],
    ["Status", status, toneOf(status)],
    ["Message", approval.message],
    ["Workflow", approval.workflowId],
    ["Step", approval.stepId],
    ["Session", approval.sessionId],
    ["Asked", `${approval.requestedAt} (${age(approval.requestedAt, now)} ago)`],
    ["May decide", approvers === null ? "every key with approvals:write" : `keys named ${approvers.join(", ")}`],
    ["Hash", approval.subjectHash],
  ];
  if (approval.taskId !== null) fields.push(["Effects of", approval.taskId]);
  if (approval.expiresAt !== null) fields.push(["Expires", approval.expiresAt]);
  if (reminders > 0) fields.push(["Asked again", reminders]);
  if (nextReminderAt !== null) fields.push(["Next reminder", nextReminderAt]);
  if (approval.endedAt !== null) fields.push(["Ended", approval.endedAt]);
  if (approval.decidedBy !== null) fields.push(["Decided by", approval.decidedBy]);
  if (approval.comment !== null) fields.push(["Comment", approval.comment]);
  if (details !== null) fields.push({ title: "Details", lines: jsonLines(details) });
  call.output.record(approval, fields);
  if (status !== "pending") return;
  const { program } = call.io.settings;
  const [yes, no] = approval.kind === "step" ? ["Decide", "    or"] : ["It happened", "     or not"];
  call.say(`${yes}: ${program} approvals approve ${approvalId}\n${no}: ${program} approvals reject ${approvalId}`);
}

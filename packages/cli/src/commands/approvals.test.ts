import assert from "node:assert/strict";
import { test } from "node:test";
import { operations } from "@opspawn/contract";
import { FakeFailure, sampleApproval, sampleApprovalLink } from "@opspawn/sdk/testing";
import { FakeCli } from "../fake-cli.ts";

const AT = "2026-05-01T12:00:00.000000Z";
const { approvals, sessions } = operations;
const { approvalId, sessionId } = sampleApproval();

const cli = new FakeCli(90_000_000);
const opspawn = cli.run;

const stdoutOf = (...argv: string[]) => cli.stdoutOf("approvals", ...argv);

const one = <T>(item: T) => ({ items: [item], nextCursor: null });

test("a list fits 80 columns with its ids whole, and passes its filters on", async () => {
  const long = "much longer than any table has room for, ".repeat(4);
  const widest = sampleApproval({ stepId: long, message: `\u001b[2J${long}\n${long}`, status: "cancelled" });
  cli.server.on(approvals.list, one(widest));
  const ran = await opspawn("approvals", "list", "--status", "pending", "--session", "s", "--workflow", "w");
  const [head = "", row = "", ...more] = ran.stdout.trimEnd().split("\n");
  assert.deepEqual([ran.exitCode, more], [0, []]);
  assert.match(head, /^APPROVAL +STATUS +AGE +STEP +MESSAGE$/);
  assert.match(row, new RegExp(`^${approvalId}  cancelled  1m {3}much`));
  assert.ok(head.length <= 80 && row.length <= 80, row);
  assert.ok(!ran.stdout.includes("\u001b"));
  assert.match(ran.stderr, /More of one: opspawn approvals get APPROVAL/);
  assert.deepEqual(cli.server.calls[0]?.query, { status: "pending", session: "s", workflow: "w" });
  assert.deepEqual(JSON.parse(await stdoutOf("list", "-o", "json")), one(widest));
  cli.server.on(approvals.list, { items: [], nextCursor: null });
  assert.equal((await opspawn("approvals", "list")).stderr, "There are no such approvals.\n");
  const wrong = await opspawn("approvals", "list", "--status", "open");
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.stderr, /one of pending, approved, rejected, expired, cancelled/);
});

test("what is to be decided is shown whole and harmless, with the commands that decide", async () => {
  const asked = {
    ...{ message: "Publish\u001b]0;owned\u0007 it?\u202e", details: { price: 3, note: "\u009b2J" } },
    ...{ approvers: ["ann", "bob"], reminders: 2, nextReminderAt: AT },
  };
  cli.server.on(approvals.get, sampleApproval(asked));
  const { stdout, stderr } = await opspawn("approvals", "get", approvalId);
  assert.match(stdout, /Status +pending\nMessage +Publish it\?\n/);
  assert.match(stdout, /Asked +2026-05-01T12:00:00\.000000Z \(1m ago\)\nMay decide +keys named ann, bob\n/);
  assert.match(stdout, /Expires +2026-05-02.*\nAsked again +2\nNext reminder +2026-05-01/);
  assert.match(stdout, /\nDetails\n\{\n {2}"price": 3,\n {2}"note": "\\u009b2J"\n\}\n$/);
  assert.match(stdout, new RegExp(`Hash +${"ab".repeat(32)}\n`));
  assert.equal(
    stderr,
    `Decide: opspawn approvals approve ${approvalId}\n    or: opspawn approvals reject ${approvalId}\n`,
  );
});

test("what was decided is shown with who and why, and nothing is left to do", async () => {
  const decided = { status: "rejected", decidedBy: "ann (key_1)", comment: "too dear", endedAt: AT, details: null };
  cli.server.on(approvals.get, sampleApproval({ ...decided, status: "rejected", expiresAt: null, blocked: null }));
  const { stdout, stderr } = await opspawn("approvals", "get", approvalId);
  assert.match(stdout, /May decide +every key with approvals:write\n/);
  assert.match(stdout, /Ended +2026.*\nDecided by +ann \(key_1\)\nComment +too dear\n$/);
  assert.equal(stderr, "");
});

test("approve and reject send what was said and looked at, and tell where to go on", async () => {
  cli.server
    .on(approvals.approve, sampleApproval({ status: "approved" }))
    .on(approvals.reject, sampleApproval({ status: "rejected" }));
  const approved = await opspawn("approvals", "approve", approvalId, "--comment", "fine", "--hash", "h1");
  assert.equal(approved.stdout, `Approval ${approvalId} is approved.\n`);
  assert.equal(approved.stderr, `Watch it: opspawn sessions watch ${sessionId}\n`);
  assert.equal(await stdoutOf("reject", approvalId), `Approval ${approvalId} is rejected.\n`);
  assert.deepEqual(
    cli.server.calls.map(({ body }) => body),
    [{ comment: "fine", subjectHash: "h1" }, {}],
  );
  assert.equal(JSON.parse(await stdoutOf("approve", approvalId, "-o", "json")).status, "approved");
  const late = new FakeFailure(409, { detail: `Approval ${approvalId} is expired already.`, code: "approval_decided" });
  cli.server.on(approvals.reject, late);
  const { exitCode, stderr } = await opspawn("approvals", "reject", approvalId);
  assert.equal(exitCode, 1);
  assert.match(stderr, /is expired already/);
});

test("a link alone goes to stdout, so that it can be sent on", async () => {
  cli.server.on(approvals.link, sampleApprovalLink());
  const { url } = sampleApprovalLink();
  const argv = ["approvals", "link", approvalId, "--for", "carol", "--only", "approve", "--expires", "2h"];
  const ran = await opspawn(...argv);
  assert.equal(ran.stdout, `${url}\n`);
  assert.match(ran.stderr, /^Whoever has this link can decide, once and as carol, until/);
  for (const line of ran.stderr.split("\n")) assert.ok(line.length <= 80, line);
  assert.deepEqual(cli.server.calls[0]?.body, { decision: "approve", for: "carol", expiresIn: "2h" });
  assert.deepEqual(JSON.parse(await stdoutOf("link", approvalId, "-o", "json")), sampleApprovalLink());
  assert.deepEqual(cli.server.calls[1]?.body, {});
});

test("why names the command that leads to the decision, for the session and for the approval", async () => {
  const message = `Step \`ok\` waits for a decision on approval ${approvalId}.`;
  const blocked = { reason: "waiting_for_approval", message, since: AT, details: { stepId: "ok", approvalId } };
  cli.server
    .on(sessions.why, { sessionId, status: "waiting", blocked, explanation: [message] })
    .on(
      approvals.why,
      { approvalId, status: "pending", blocked, explanation: ["Somebody has to approve or reject it."] },
      { approvalId, status: "approved", blocked: null, explanation: ["It was approved by alice."] },
    );
  const next = "Look at it, then approve or reject it: opspawn approvals get";
  const ofSession = await opspawn("why", sessionId);
  assert.equal(ofSession.stderr.replace(/\s+/g, " "), `${next} ${approvalId}. `);
  const ofApproval = await opspawn("why", approvalId);
  assert.equal(ofApproval.stdout, "Somebody has to approve or reject it.\n");
  assert.equal(ofApproval.stderr, ofSession.stderr);
  const decided = await opspawn("why", approvalId);
  assert.deepEqual([decided.stdout, decided.stderr], ["It was approved by alice.\n", ""]);
});

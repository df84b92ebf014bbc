import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { operations } from "@opspawn/contract";
import { FakeFailure, FakeServer, sampleApproval } from "@opspawn/sdk/testing";
import { FakeIo, type Ran } from "../fake-io.ts";

const AT = "2026-05-01T12:00:00.000000Z";
const { approvals } = operations;
const ID = sampleApproval().approvalId;

let fake: FakeServer;
let io: FakeIo;

beforeEach(async () => {
  fake = await FakeServer.start();
  io = new FakeIo();
  io.clock.advance(90_000_000);
});

afterEach(async () => {
  io.remove();
  await fake.close();
});

const opspawn = (...argv: string[]): Promise<Ran> => io.run(["approvals", ...argv, "--url", fake.baseUrl]);

async function stdoutOf(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await opspawn(...argv);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

test("approvals are listed in 80 columns with their whole ids, by status, session and workflow", async () => {
  const page = {
    items: [sampleApproval({ message: "Publish it? ".repeat(20), status: "cancelled" })],
    nextCursor: null,
  };
  fake.on(approvals.list, page);
  const [, line = ""] = (await stdoutOf("list", "--status", "cancelled")).split("\n");
  assert.match(line, new RegExp(`^${ID} {2}cancelled {2}1m {2,}Publish it\\? Pub.*…$`));
  assert.ok(line.length <= 80, `${line.length}`);
  assert.deepEqual(JSON.parse(await stdoutOf("list", "--session", "s", "--workflow", "w", "-o", "json")), page);
  assert.deepEqual(fake.calls[1]?.query, { session: "s", workflow: "w" });
});

test("an approval is shown with what it rests on, who may decide and how it ended", async () => {
  const ended = { endedAt: AT, decidedBy: "ann (key_1)", comment: "fine", status: "approved" as const, blocked: null };
  fake.on(
    approvals.get,
    sampleApproval({ details: { price: 3 }, approvers: ["ann", "bob"], expiresAt: AT, nextReminderAt: AT }),
    sampleApproval(ended),
  );
  const shown = await stdoutOf("show", ID);
  assert.match(shown, /Message +Publish\?\n/);
  assert.match(shown, /Approvers +ann, bob\nExpires +2026.*\nReminder +2026.*\nWaits for +Somebody has to approve/);
  assert.match(shown, /\nDetails\n\{\n {2}"price": 3\n\}/);
  assert.match(await stdoutOf("get", ID), /Ended +2026.*\nDecided by +ann \(key_1\)\nComment +fine\n/);
});

test("what a workflow asks cannot steer the terminal", async () => {
  const evil = "\u001b[2J\u009b31mPay\u202e €1\u0007\r";
  const approval = sampleApproval({ message: evil, details: { evil }, comment: evil, decidedBy: evil, stepId: evil });
  fake.on(approvals.list, { items: [approval], nextCursor: null }).on(approvals.get, approval);
  fake.on(approvals.approve, approval);
  for (const command of [["list"], ["list", "-o", "json"], ["show", ID], ["show", ID, "-o", "json"], ["approve", ID]]) {
    const text = await stdoutOf(...command);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, command.join(" "));
    assert.match(text, /Pay/);
  }
});

test("approving and rejecting say what was decided, and pass on the comment and the hash", async () => {
  fake
    .on(approvals.approve, sampleApproval({ status: "approved" }))
    .on(approvals.reject, sampleApproval({ status: "rejected" }), decided);
  assert.equal(await stdoutOf("approve", ID, "--hash", "h"), `Approval ${ID} is approved: Publish?\n`);
  assert.match(await stdoutOf("reject", ID, "--comment", "too dear", "-o", "json"), /"status": "rejected"/);
  assert.deepEqual(
    fake.calls.map(({ body }) => body),
    [{ subjectHash: "h" }, { comment: "too dear" }],
  );
  const { exitCode, stderr } = await opspawn("reject", ID);
  assert.equal(exitCode, 1);
  assert.match(stderr, /is approved already/);
});

const decided = new FakeFailure(409, { detail: `Approval ${ID} is approved already.`, code: "approval_decided" });

test("a link alone goes to stdout", async () => {
  const url = "http://127.0.0.1:8000/v1/opscore/approval-links/lnk_1?token=t";
  fake.on(approvals.link, { linkId: "lnk_1", approvalId: ID, decision: "reject", for: "carol", url, expiresAt: AT });
  const { stdout, stderr } = await opspawn("link", ID, "--decision", "reject", "--for", "carol", "--expires", "4h");
  assert.equal(stdout, `${url}\n`);
  assert.match(stderr, /Link lnk_1 for carol: works once, until 2026-05-01T12:00:00/);
  assert.deepEqual(fake.calls[0]?.body, { decision: "reject", expiresIn: "4h", for: "carol" });
  assert.equal((await opspawn("link", ID, "--decision", "maybe")).exitCode, 2);
});

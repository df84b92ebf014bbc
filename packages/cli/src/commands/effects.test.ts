import assert from "node:assert/strict";
import { test } from "node:test";
import { operations } from "@opspawn/contract";
import { sampleApproval, sampleEffect } from "@opspawn/sdk/testing";
import { FakeCli } from "../fake-cli.ts";

const { effects } = operations;
const { taskId } = sampleEffect();

const cli = new FakeCli(90_000_000);
const opspawn = (...argv: string[]) => cli.run("effects", ...argv);

test("a list fits 80 columns with the tasks' ids whole, and passes its filters on", async () => {
  const widest = sampleEffect({ effectId: "\u001b[2Jmuch longer than there is room for ".repeat(4) });
  cli.server.on(effects.list, { items: [widest], nextCursor: null });
  const { stdout, exitCode } = await opspawn("list", "--status", "open", "--session", "s");
  const [head = "", row = ""] = stdout.trimEnd().split("\n");
  assert.equal(exitCode, 0);
  assert.match(head, /^TASK +EFFECT +STATUS +AGE$/);
  assert.match(row, new RegExp(`^${taskId}  .*  intended  1m`));
  assert.ok(head.length <= 80 && row.length <= 80, row);
  assert.deepEqual(cli.server.calls[0]?.query, { status: "open", session: "s" });
});

test("those of one task are listed in order, and shown with payload and receipt", async () => {
  const receipt = {
    status: "done",
    result: { id: 3 },
    note: "paid\u001b[2J",
    at: "AT",
    attempt: 1,
    by: "agent",
  } as const;
  const done = sampleEffect({
    effectId: "mail",
    status: "done",
    receipt: { ...receipt, at: sampleEffect().announcedAt },
  });
  cli.server.on(effects.ofTask, { items: [sampleEffect(), done] });
  assert.match((await opspawn("list", "--task", taskId)).stdout, /charge[\s\S]*mail/);
  const open = (await opspawn("list", "--task", taskId, "--status", "open")).stdout;
  assert.ok(open.includes("charge") && !open.includes("mail"), open);
  const { stdout } = await opspawn("get", taskId, "mail");
  for (const part of [/Key +eff_0123/, /Status +done/, /"amount": 7/, /Note +paid/, /"id": 3/])
    assert.match(stdout, part);
  assert.ok(!stdout.includes("\u001b"));
  const none = await opspawn("get", taskId, "other");
  assert.match(none.stderr, /has no effect other/);
  assert.notEqual(none.exitCode, 0);
});

test("who knows that an effect happened says so, and what came of it", async () => {
  const { approvals } = operations;
  const asked = sampleApproval({ kind: "effect", taskId });
  cli.server.on(approvals.get, asked).on(approvals.approve, { ...asked, status: "approved" });
  const run = (...argv: string[]) => cli.io.run(["approvals", ...argv, "--url", cli.server.baseUrl]);
  const { stdout, stderr } = await run("get", asked.approvalId);
  assert.match(stdout, new RegExp(`Effects of +${taskId}`));
  assert.match(stderr, /It happened: .* approve .*\n +or not: .* reject /);
  assert.equal((await run("approve", asked.approvalId, "--result", '{"id":7}')).exitCode, 0);
  assert.deepEqual(cli.server.calls.at(-1)?.body, { result: { id: 7 } });
});

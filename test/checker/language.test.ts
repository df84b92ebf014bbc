import assert from "node:assert/strict";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { checkAll, LANGUAGE } from "./checker.ts";
import { evidenceOf, Rows } from "./evidence.ts";
import { languageSystem } from "./test-language-system.ts";

const sample = await languageSystem();
after(() => rmSync(sample.folder, { recursive: true }));

/** Judges a copy of the sample after something was done to it: the invariants found broken, with what was found. */
function broken(...tampering: readonly string[]): Map<string, readonly string[]> {
  const copy = join(sample.folder, "copy.db");
  rmSync(copy, { force: true });
  copyFileSync(sample.database, copy);
  const db = new DatabaseSync(copy);
  try {
    for (const sql of tampering) db.exec(sql);
    const judgements = checkAll(evidenceOf({ db: new Rows(db), isDrained: false }));
    return new Map(judgements.flatMap(({ name, findings }) => (findings.length > 0 ? [[name, findings]] : [])));
  } finally {
    db.close();
  }
}

test("a system that did everything the language has, and in which all is well, gives no finding", () => {
  assert.deepEqual([...broken()], []);
});

const A = "(select id from sessions where workflow_id = 'a')";
const D = "(select id from sessions where workflow_id = 'd')";

/** What was done to the system, the invariant that must be found broken, and how. */
const PLANTED: readonly (readonly [what: string, invariant: string, ...sql: string[]])[] = [
  [
    "a step was completed twice",
    "each event of a step or an approval is a legal transition",
    "update events set entries = replace(entries, 'step.started', 'step.completed')",
  ],
  [
    "an approval was decided twice",
    "each event of a step or an approval is a legal transition",
    "update events set entries = replace(entries, 'approval.requested', 'approval.approved')",
  ],
  [
    "a skipped step ran all the same",
    "each event of a step or an approval is a legal transition",
    `update events set entries = replace(entries, '["step.skipped",{"stepId":"never"}]',
      '["step.skipped",{"stepId":"never"}],["step.started",{"stepId":"never"}]')`,
  ],
  [
    "a step ended after its session",
    "nothing happens to a step or an approval after the end of its session",
    "update events set entries = replace(entries, '[\"session.started\"', '[\"session.failed\"')",
  ],
  [
    "a time came early",
    "no wait ends, and no approval expires, before its time",
    `update events set entries = replace(entries, '"until":"2', '"until":"9')`,
  ],
  [
    "an approval expired early",
    "no wait ends, and no approval expires, before its time",
    `update events set entries = replace(entries, '"expiresAt":"2', '"expiresAt":"9')`,
  ],
  [
    "a step is other than its events say",
    "the events of steps and approvals, played again, give the rows",
    "update session_steps set status = 'completed' where status = 'skipped'",
  ],
  [
    "a step is other than its task",
    "the events of steps and approvals, played again, give the rows",
    "update tasks set status = 'completed' where step_id = 'last'",
  ],
  [
    "a step has lost its row",
    "the events of steps and approvals, played again, give the rows",
    "delete from session_steps where status = 'cancelled'",
  ],
  [
    "an approval is other than its events say",
    "the events of steps and approvals, played again, give the rows",
    "update approvals set status = 'rejected' where status = 'approved'",
  ],
  [
    "a session forgot to count a step that ended",
    "a session counts its steps that are open, wait and have ended",
    `update sessions set ended = ended - 1 where id = ${A}`,
  ],
  [
    "a session counts a step as open that waits no more",
    "a session counts its steps that are open, wait and have ended",
    `update sessions set waiting = waiting + 1 where id = ${D}`,
  ],
  [
    "a timer is lost",
    "what waits has a time, a signal or a decision to wait for, and nothing else has",
    `update session_steps set wake_at = null where session_id = ${D}`,
  ],
  [
    "a timer was not disarmed",
    "what waits has a time, a signal or a decision to wait for, and nothing else has",
    "update session_steps set wake_at = 1 where status = 'completed'",
  ],
  [
    "the expiry of an approval is lost",
    "what waits has a time, a signal or a decision to wait for, and nothing else has",
    "update approvals set wake_at = null where status = 'pending'",
  ],
  [
    "an approval that ended with its session waits again",
    "a step that asked came to what was decided",
    "update approvals set status = 'pending', ended_at = null where status = 'cancelled'",
  ],
  [
    "a rejected step is completed",
    "a step that asked came to what was decided",
    "update session_steps set status = 'completed' where status = 'failed'",
  ],
  [
    "a session goes on below a cancelled one",
    "no session goes on below one that has ended, but to undo what it did",
    "update sessions set ended_at = null, status = 'running' where parent_id is not null and status = 'cancelled'",
  ],
  [
    "the session above is gone",
    "no session goes on below one that has ended, but to undo what it did",
    "delete from sessions where workflow_id = 'c'",
  ],
  [
    "an item was left out",
    "each item of a list is done once, in its turn, and none is left out",
    `delete from tasks where session_id = ${A} and step_id = 'each' and part = 1 and undoes = 0`,
  ],
  [
    "an item was done twice",
    "each item of a list is done once, in its turn, and none is left out",
    "drop index tasks_by_session",
    "update tasks set part = 1 where step_id = 'each' and part = 2",
  ],
  [
    "a list was completed before its end",
    "each item of a list is done once, in its turn, and none is left out",
    "drop index tasks_by_session",
    "update session_steps set total = 4, status = 'completed' where total = 3",
  ],
  [
    "a list had too many items under way",
    "no list has more items under way at once than it allows, and no other step more than one run",
    `update definitions set document = replace(document, '"concurrency":2', '"concurrency":1')`,
  ],
  [
    "a loop had two runs at once",
    "no list has more items under way at once than it allows, and no other step more than one run",
    // Each task ends where the next one is told of.
    "update events set entries = replace(entries, 'task.completed', 'attempt.late_result')",
  ],
  [
    "what was done first was undone first",
    "what was done is undone once, the last thing first, one after the other",
    "update tasks set ended_at = -ended_at where undoes = 0 and step_id in ('first', 'each')",
  ],
  [
    "two things were undone at once",
    "what was done is undone once, the last thing first, one after the other",
    "update tasks set created_at = 1 where undoes = 1",
  ],
  [
    "something was undone that was never done",
    "what was done is undone once, the last thing first, one after the other",
    "delete from tasks where undoes = 0 and step_id = 'first'",
  ],
  [
    "something else was undone before its turn",
    "what was done is undone once, the last thing first, one after the other",
    "update compensations set status = 'pending' where n = 0",
  ],
  [
    "something to undo was forgotten",
    "a session that undid what it did says how much of it, and failed",
    "update compensations set status = 'pending' where n = 3",
  ],
  [
    "what could not be undone is kept quiet",
    "a session that undid what it did says how much of it, and failed",
    "update compensations set status = 'failed' where n = 1",
  ],
  [
    "a session that was undone counts as completed",
    "a session that undid what it did says how much of it, and failed",
    "update sessions set status = 'completed' where undo_total is not null",
  ],
];

for (const [what, invariant, ...tampering] of PLANTED) {
  test(`${what}: found`, () => {
    const found = broken(...tampering);
    assert.ok(found.has(invariant), `broken: ${[...found.keys()].join("; ")}`);
  });
}

test("each invariant of the language is seen to break", () => {
  const seen = new Set(PLANTED.map(([, invariant]) => invariant));
  assert.deepEqual(
    LANGUAGE.map(({ name }) => name).filter((name) => !seen.has(name)),
    [],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Issues, issueText, pathText } from "./issues.ts";

test("a path is written as people write it", () => {
  assert.equal(pathText([]), "");
  assert.equal(pathText(["tasks", 2, "retry", "maxAttempts"]), "tasks[2].retry.maxAttempts");
  assert.equal(pathText([0, "publish-ok", "$x"]), '[0]["publish-ok"].$x');
  assert.equal(issueText({ loc: [], msg: "is bad", type: "t" }), "is bad");
});

test("a report names the first issues, counts the rest, and keeps a bounded number", () => {
  const issues = new Issues();
  assert.equal(issues.empty, true);
  assert.equal(issues.summary, "");
  let made = 0;
  for (let at = 0; at < 150; at += 1) {
    issues.add(["tasks", at], "bad", () => {
      made += 1;
      return "is bad";
    });
  }
  assert.equal(issues.empty, false);
  assert.equal(issues.list.length, 100);
  assert.equal(made, 100);
  assert.equal(issues.summary, "tasks[0]: is bad; tasks[1]: is bad; tasks[2]: is bad; and 147 more");
});

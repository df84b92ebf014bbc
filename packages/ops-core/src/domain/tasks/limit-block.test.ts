import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTime } from "@opspawn/contract";
import { limitReason } from "./limit-block.ts";

const NOON = parseTime("2026-05-01T12:00:00Z") ?? 0;
const SECOND = 1_000_000;

const hold = (taskId: string, after: number, until: number | null = null) => ({
  taskId,
  since: NOON + after * SECOND,
  until,
});

test("a full key says how many run of how many, since when, and names some of them", () => {
  const full = { reason: "concurrency_limit", key: "tenant-7", limit: 5, held: 5 } as const;
  const holds = [hold("t1", 1), hold("t2", 2, NOON + 9 * SECOND), hold("t3", 3), hold("t4", 4), hold("t5", 5)];
  const { message, details } = limitReason(full, holds);
  const since = "2026-05-01T12:00:01Z";
  assert.equal(message, `Key \`tenant-7\`: 5 of 5 run since ${since}: t1, t2 (given up), t3 and 2 more.`);
  assert.partialDeepStrictEqual(details, { key: "tenant-7", limit: 5, held: 5, nextPermitAt: null });
  assert.deepEqual((details.holds as unknown[])[1], {
    taskId: "t2",
    since: "2026-05-01T12:00:02.000000Z",
    drainsUntil: "2026-05-01T12:00:09.000000Z",
  });
  assert.equal(limitReason(full, []).message, "Key `tenant-7`: 5 of 5 run.");
});

test("a rate that is used up says when the next may begin", () => {
  const used = { reason: "rate_limit", key: "api", limit: 10, per: 60 * SECOND, nextAt: NOON + 61 * SECOND } as const;
  const { message, details } = limitReason(used, [hold("t1", 1), hold("t2", 2)]);
  const end = "the next may begin at 2026-05-01T12:01:01Z.";
  assert.equal(message, `Key \`api\`: 10 of 10 began within 1m, the last t2; ${end}`);
  assert.partialDeepStrictEqual(details, { per: "1m", nextPermitAt: "2026-05-01T12:01:01.000000Z" });
  assert.equal(limitReason(used, []).message, `Key \`api\`: 10 of 10 began within 1m; ${end}`);
});

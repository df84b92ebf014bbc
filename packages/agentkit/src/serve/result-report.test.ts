import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../fake-clock.ts";
import { silentLogger } from "./logger.ts";
import { completed, type Outcome } from "./outcome.ts";
import type { PlatformAnswer } from "./platform.ts";
import { reportOutcome } from "./result-report.ts";

const SECOND = 1_000_000;
type Reply = number | Error | [status: number, headers: Record<string, string>, body?: PlatformAnswer["body"]];

describe("reporting an outcome by a call of its own", () => {
  let clock: FakeClock;
  let calls: { url: string; body: Record<string, unknown>; key: string | null; at: number }[];

  beforeEach(() => {
    clock = new FakeClock();
    calls = [];
  });

  /** Reports against a platform that gives these replies, the last one for ever, while time flies. */
  async function report(
    replies: Reply[],
    outcome: Outcome = completed(1),
    stop = new AbortController(),
  ): Promise<void> {
    const start = clock.now();
    const platform = {
      post: async (url: string, body: string, key: string | null): Promise<PlatformAnswer> => {
        calls.push({ url, body: JSON.parse(body), key, at: (clock.now() - start) / SECOND });
        const reply = replies[Math.min(calls.length, replies.length) - 1] ?? 200;
        if (reply instanceof Error) throw reply;
        const [status, headers, answer] = typeof reply === "number" ? [reply, {}] : reply;
        return { status, headers: new Headers(headers), body: answer ?? null };
      },
    };
    const ticket = {
      taskId: "t",
      attempt: 1,
      token: "tok",
      resultUrl: "http://h/result",
      deadline: start + 60 * SECOND,
      capability: null,
    };
    let done = false;
    const reporting = reportOutcome(ticket, outcome, { platform, clock, logger: silentLogger, signal: stop.signal });
    void reporting.then(() => {
      done = true;
    });
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.pending > 0) clock.advance(SECOND / 8);
    }
  }

  test("an accepted outcome is sent once, with the token and without any key", async () => {
    await report([200]);
    assert.deepEqual(
      calls.map(({ url, body, key }) => ({ url, body, key })),
      [{ url: "http://h/result", body: { token: "tok", status: "completed", result: 1 }, key: null }],
    );
  });

  test("it is tried again, ever less often, while the platform is away or overloaded, until it is accepted", async () => {
    await report([new Error("refused"), 503, 429, 500, 200]);
    const gaps = calls.slice(1).map(({ at }, i) => at - (calls[i]?.at ?? 0));
    assert.equal(calls.length, 5);
    assert.deepEqual(
      gaps,
      [...gaps].sort((a, b) => a - b),
    );
  });

  test("it waits as long as `retry-after` asks", async () => {
    await report([[503, { "retry-after": "7" }], 200]);
    assert.ok((calls[1]?.at ?? 0) >= 7);
  });

  test("it gives up at the deadline", async () => {
    await report([503]);
    assert.ok(calls.length > 3);
    assert.ok(calls.every(({ at }) => at < 60));
  });

  test("a lost lease ends it at once", async () => {
    await report([[409, {}, { detail: "The attempt was given away.", code: "lease_lost" }]]);
    assert.equal(calls.length, 1);
  });

  test("a result the platform refuses becomes a failure that names the refusal, so that the task does not hang", async () => {
    await report([[413, {}, { detail: "The body has more than 1048576 bytes." }], 200]);
    assert.equal(calls.length, 2);
    assert.equal(calls[1]?.body.status, "failed");
    assert.deepEqual(calls[1]?.body.error, {
      code: "result_refused",
      message: "The platform refused the result: 413: The body has more than 1048576 bytes.",
      retryable: false,
    });
  });

  test("a refused failure is not sent for ever", async () => {
    await report([422, 422]);
    assert.equal(calls.length, 2);
  });

  test("it gives up when the agent stops", async () => {
    const stop = new AbortController();
    stop.abort();
    await report([503], completed(1), stop);
    assert.equal(calls.length, 1);
  });
});

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { OpspawnClient } from "@opspawn/sdk";
import { FakeClock } from "./fake-clock.ts";
import { silentLogger } from "./logger.ts";
import { completed, type Outcome } from "./outcome.ts";
import { reportOutcome } from "./result-report.ts";

const SECOND = 1_000_000;
type Reply = Error | { status: number; code?: string; detail?: string; headers?: Record<string, string> };

describe("reporting an outcome by a call of its own", () => {
  let clock: FakeClock;
  let calls: { url: string; body: Record<string, unknown>; at: number }[];

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
    const fetch = async (url: unknown, init?: RequestInit) => {
      calls.push({ url: String(url), body: JSON.parse(String(init?.body)), at: (clock.now() - start) / SECOND });
      const reply = replies[Math.min(calls.length, replies.length) - 1] ?? { status: 200 };
      if (reply instanceof Error) throw reply;
      const { status, code, detail, headers } = reply;
      return new Response(JSON.stringify({ code, detail }), { status, ...(headers === undefined ? {} : { headers }) });
    };
    const client = new OpspawnClient({
      baseUrl: "http://h",
      fetch: fetch as typeof globalThis.fetch,
      clock,
      chance: { fraction: () => 0.5, id: () => "id" },
    });
    const ticket = {
      taskId: "t",
      attempt: 1,
      token: "tok",
      resultUrl: "http://h/v1/opscore/tasks/t/result",
      deadline: start + 60 * SECOND,
      capability: null,
    };
    let done = false;
    const reporting = reportOutcome(ticket, outcome, { client, clock, logger: silentLogger, signal: stop.signal });
    void reporting.then(() => {
      done = true;
    });
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.pending > 0) clock.advance(SECOND / 8);
    }
  }

  test("an accepted outcome is sent once, with the token", async () => {
    await report([{ status: 200 }]);
    assert.deepEqual(
      calls.map(({ url, body }) => ({ url, body })),
      [{ url: "http://h/v1/opscore/tasks/t/result", body: { token: "tok", status: "completed", result: 1 } }],
    );
  });

  test("it is tried again while the platform is away or overloaded, until it is accepted", async () => {
    await report([
      new TypeError("fetch failed", { cause: new Error("connection refused") }),
      { status: 503, code: "overloaded" },
      { status: 429, code: "rate_limited", headers: { "retry-after": "20" } },
      { status: 200 },
    ]);
    assert.equal(calls.length, 4);
    assert.ok((calls[3]?.at ?? 0) - (calls[2]?.at ?? 0) >= 20, "as late as the platform asked");
  });

  test("it gives up at the deadline", async () => {
    await report([{ status: 503, code: "overloaded" }]);
    assert.ok(calls.length > 3);
    assert.ok(calls.every(({ at }) => at < 60));
  });

  test("a lost lease ends it at once", async () => {
    await report([{ status: 409, code: "lease_lost", detail: "The attempt was given away." }]);
    assert.equal(calls.length, 1);
  });

  test("a result the platform refuses becomes a failure that names the refusal, so that the task does not hang", async () => {
    await report([{ status: 413, code: "body_too_large", detail: "The body is too large." }, { status: 200 }]);
    assert.equal(calls.length, 2);
    assert.deepEqual(calls[1]?.body, {
      token: "tok",
      status: "failed",
      error: {
        code: "result_refused",
        message: "The platform refused the result: 413 body_too_large: The body is too large.",
        retryable: false,
      },
    });
  });

  test("a refused failure is not sent for ever", async () => {
    await report([{ status: 422, code: "invalid_request" }]);
    assert.equal(calls.length, 2);
  });

  test("it gives up when the agent stops", async () => {
    const stop = new AbortController();
    stop.abort();
    await report([{ status: 503, code: "overloaded" }], completed(1), stop);
    assert.ok(calls.length <= 1);
  });
});

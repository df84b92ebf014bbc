import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { TaskFailure } from "@opspawn/sdk";
import { FakeClock } from "./fake-clock.ts";
import { silentLogger } from "./logger.ts";
import type { Message, Ticket } from "./message.ts";
import type { Outcome } from "./outcome.ts";
import { Refusal } from "./refusal.ts";
import type { AgentTask } from "./task.ts";
import { Workload, type WorkloadOptions } from "./workload.ts";

const SECOND = 1_000_000;

describe("the tasks an agent has been given", () => {
  let clock: FakeClock;
  let calls: { task: AgentTask; resolve: (result: unknown) => void; reject: (error: Error) => void }[];
  let reports: { ticket: Ticket; outcome: Outcome }[];
  let stops: Ticket[];

  beforeEach(() => {
    clock = new FakeClock();
    calls = [];
    reports = [];
    stops = [];
  });

  function workload(options: Partial<WorkloadOptions> = {}): Workload {
    return new Workload({
      handle: (task) => new Promise((resolve, reject) => calls.push({ task, resolve, reject })),
      clock,
      logger: silentLogger,
      maxConcurrency: 2,
      answerWithin: 5 * SECOND,
      reportable: () => true,
      report: async (ticket, outcome) => {
        reports.push({ ticket, outcome });
      },
      confirmStop: async (ticket) => {
        stops.push(ticket);
      },
      progress: async () => true,
      ...options,
    });
  }

  function delivery(taskId: string, attempt = 1, deadline = clock.now() + 60 * SECOND): Message {
    const ticket = {
      taskId,
      attempt,
      token: `${taskId}.${attempt}`,
      resultUrl: "http://h/r",
      deadline,
      capability: null,
    };
    return { senderId: "s", messageType: "workflow_task", taskName: "n", sessionId: "ses", payload: { a: 1 }, ticket };
  }

  test("a quick task is answered with its outcome and reported to nobody", async () => {
    const agent = workload({ handle: ({ parameters }) => ({ twice: Number(parameters.a) * 2 }) });
    const answer = await agent.accept(delivery("t"), "t");
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, { status: "completed", result: { twice: 2 } }]);
    assert.deepEqual(reports, []);
    assert.equal(clock.pending, 0, "no timer is left");
  });

  test("progress goes out under the token of the attempt in hand, and stops work that nobody waits for", async () => {
    const said: unknown[] = [];
    const wanted = [true, true, false];
    const agent = workload({
      progress: async ({ token }, { counter, note }) => {
        said.push([token, counter, note]);
        return wanted.shift() ?? true;
      },
    });
    const answer = agent.accept(delivery("t"), "t");
    const { task } = calls[0] ?? assert.fail("no call");
    await task.progress(1, "one");
    await task.progress();
    assert.equal(task.signal.aborted, false);
    await task.progress(2);
    assert.equal(task.signal.aborted, true);
    assert.deepEqual(JSON.parse((await answer).body).error.code, "lease_lost");
    await task.progress(3);
    assert.deepEqual(said, [
      ["t.1", 1, "one"],
      ["t.1", undefined, undefined],
      ["t.1", 2, undefined],
    ]);
    calls[0]?.resolve(null);
  });

  test("a slow task is acknowledged after `answerWithin` and reported under its token when done", async () => {
    const agent = workload();
    const answer = agent.accept(delivery("t"), "t");
    await clock.armed(5 * SECOND);
    clock.advance(5 * SECOND);
    assert.equal((await answer).status, 202);
    calls[0]?.resolve("done");
    await agent.drain(0);
    assert.deepEqual(
      reports.map(({ ticket, outcome }) => [ticket.token, JSON.parse(outcome.body)]),
      [["t.1", { status: "completed", result: "done" }]],
    );
  });

  test("a task whose result nobody may be sent is waited for, however long it takes", async () => {
    const agent = workload({ reportable: () => false });
    const answer = agent.accept(delivery("t"), "t");
    clock.advance(30 * SECOND);
    calls[0]?.resolve("done");
    assert.equal((await answer).status, 200);
    (await answer).lost();
    assert.deepEqual(reports, []);
  });

  test("a resend of a running task is acknowledged and starts nothing", async () => {
    const agent = workload();
    const first = agent.accept(delivery("t"), "t");
    const second = await agent.accept(delivery("t"), "t");
    assert.equal(second.status, 202);
    calls[0]?.resolve(1);
    assert.equal((await first).status, 200);
    assert.equal(calls.length, 1);
    assert.equal(reports.length, 1, "the caller that was only acknowledged is told by a result call");
  });

  test("a later attempt at a running task takes it over: the outcome goes out under the newest token", async () => {
    const agent = workload();
    void agent.accept(delivery("t", 1), "t");
    await agent.accept(delivery("t", 2, clock.now() + 120 * SECOND), "t");
    await agent.accept(delivery("t", 1), "t");
    clock.advance(90 * SECOND);
    assert.equal(calls[0]?.task.signal.aborted, false, "the later deadline counts");
    calls[0]?.resolve(1);
    await agent.drain(0);
    assert.deepEqual(
      reports.map(({ ticket }) => ticket.token),
      ["t.2"],
    );
  });

  test("a success is repeated to every later delivery, a retry included, without doing the work again", async () => {
    let effects = 0;
    const agent = workload({ handle: () => ++effects });
    const first = await agent.accept(delivery("t", 1), "t");
    const resend = await agent.accept(delivery("t", 1), "t");
    const retry = await agent.accept(delivery("t", 2), "t");
    assert.deepEqual([first.body, resend.body], [retry.body, retry.body]);
    assert.equal(effects, 1);
  });

  test("a failure is repeated to a resend, but a retry does the work again", async () => {
    let tries = 0;
    const agent = workload({
      handle: () => {
        tries++;
        throw new TaskFailure("Not now", { code: "too_hot", retryAfter: 3 });
      },
    });
    const first = await agent.accept(delivery("t", 1), "t");
    assert.deepEqual(JSON.parse(first.body).error, { code: "too_hot", message: "Not now", retryAfter: 3 });
    await agent.accept(delivery("t", 1), "t");
    assert.equal(tries, 1);
    await agent.accept(delivery("t", 2), "t");
    assert.equal(tries, 2);
  });

  test("an answer that did not reach its caller is reported instead", async () => {
    const agent = workload({ handle: () => 1 });
    const answer = await agent.accept(delivery("t"), "t");
    answer.lost();
    assert.equal(reports[0]?.ticket.token, "t.1");
  });

  test("at the deadline the handler is told to stop and its sender hears a failure", async () => {
    const agent = workload({ answerWithin: 600 * SECOND });
    const answer = agent.accept(delivery("t"), "t");
    clock.advance(60 * SECOND);
    assert.equal(calls[0]?.task.signal.aborted, true);
    assert.deepEqual(JSON.parse((await answer).body).error.code, "deadline_exceeded");
    assert.equal(agent.size, 1, "a handler that goes on keeps its slot");
    await assert.rejects(agent.accept(delivery("t", 2), "t"), { status: 429 });
    calls[0]?.resolve("late, but done");
    await agent.drain(0);
    const retry = await agent.accept(delivery("t", 2), "t");
    assert.equal(JSON.parse(retry.body).result, "late, but done");
  });

  test("more than `maxConcurrency` tasks are refused with 429, and a slot is free as soon as a task is answered", async () => {
    const agent = workload();
    const first = agent.accept(delivery("a"), "a");
    void agent.accept(delivery("b"), "b");
    await assert.rejects(agent.accept(delivery("c"), "c"), (error) => {
      assert.ok(error instanceof Refusal);
      assert.deepEqual([error.status, error.code, error.headers], [429, "agent_busy", { "retry-after": "1" }]);
      return true;
    });
    calls[0]?.resolve(1);
    await first;
    void agent.accept(delivery("c"), "c");
    assert.equal(calls.length, 3);
  });

  test("a deadline that has passed by this machine's clock is ignored: the sender's clock decides", async () => {
    const agent = workload({ handle: ({ signal }) => signal.aborted });
    const answer = await agent.accept(delivery("t", 1, clock.now() - 60 * SECOND), "t");
    assert.deepEqual(JSON.parse(answer.body), { status: "completed", result: false });
  });

  test("without a key each delivery is work of its own", async () => {
    let effects = 0;
    const agent = workload({ handle: () => ++effects });
    const message: Message = { ...delivery("t"), ticket: null };
    await agent.accept(message, null);
    await agent.accept(message, null);
    assert.equal(effects, 2);
  });

  test("a handler's errors and results that are no JSON become failures, told as they are", async () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const outcomes: [unknown, string, boolean | undefined][] = [
      [() => cyclic, "result_invalid", false],
      [() => () => 1, "result_invalid", false],
      [() => 10n, "result_invalid", false],
      [() => Promise.reject(new Error("boom")), "agent_error", undefined],
      [() => Promise.reject("only text"), "agent_error", undefined],
    ];
    for (const [handle, code, retryable] of outcomes) {
      const answer = await workload({ handle: handle as () => unknown }).accept(delivery("t"), "t");
      const { error } = JSON.parse(answer.body);
      assert.deepEqual([error.code, error.retryable], [code, retryable]);
    }
  });

  test("a handler that returns nothing completes with null", async () => {
    const answer = await workload({ handle: () => undefined }).accept(delivery("t"), "t");
    assert.deepEqual(JSON.parse(answer.body), { status: "completed", result: null });
  });

  test("a stop lets tasks end, then tells the rest to, and reports both", async () => {
    const agent = workload();
    const open = agent.accept(delivery("slow"), "slow");
    await clock.armed(5 * SECOND);
    clock.advance(5 * SECOND);
    await open;
    const drained = agent.drain(10 * SECOND);
    clock.advance(10 * SECOND);
    await drained;
    assert.equal(calls[0]?.task.signal.aborted, true);
    assert.equal(JSON.parse(reports[0]?.outcome.body ?? "{}").error.code, "agent_stopping");
  });

  describe("a cancelled task", () => {
    const order = (taskId: string, attempt = 1) => {
      const { ticket } = delivery(taskId, attempt);
      assert.ok(ticket !== null);
      return { cancellationId: "can_1", reason: "no more", ticket };
    };

    /** A task under way that was acknowledged. */
    async function underWay(agent: Workload): Promise<void> {
      const answer = agent.accept(delivery("t"), "t");
      await clock.armed(5 * SECOND);
      clock.advance(5 * SECOND);
      assert.equal((await answer).status, 202);
    }

    test("has its handler told, and is said to have stopped when that has ended, not before", async () => {
      const agent = workload();
      await underWay(agent);
      assert.equal(agent.cancel(order("t"), "t").body, '{"status":"acknowledged"}');
      const signal = calls[0]?.task.signal;
      assert.equal(signal?.aborted, true);
      assert.match(String(signal?.reason), /The task was cancelled: no more/);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([stops, reports, agent.size], [[], [], 1]);
      calls[0]?.reject(signal?.reason as Error);
      await agent.drain(0);
      assert.deepEqual([stops.map(({ token }) => token), reports, agent.size], [["t.1"], [], 0]);
    });

    test("that is done all the same has its result reported, which is refused and known", async () => {
      const agent = workload();
      await underWay(agent);
      agent.cancel(order("t"), "t");
      calls[0]?.resolve("done");
      await agent.drain(0);
      assert.deepEqual([stops, reports.map(({ outcome }) => outcome.status)], [[], ["completed"]]);
    });

    test("is not begun when it comes after that, nor joined", async () => {
      const agent = workload();
      assert.equal(agent.cancel(order("late"), "late").body, '{"status":"unknown"}');
      await assert.rejects(agent.accept(delivery("late"), "late"), { status: 409, code: "task_cancelled" });
      await underWay(agent);
      agent.cancel(order("t"), "t");
      await assert.rejects(agent.accept(delivery("t", 2), "t"), { status: 409 });
    });

    test("is answered by what is known of it", async () => {
      const agent = workload({ handle: ({ taskId }) => (taskId === "good" ? 1 : Promise.reject(new Error("no"))) });
      for (const name of ["good", "bad"]) await agent.accept(delivery(name), name);
      assert.equal(agent.cancel(order("bad"), "bad").body, '{"status":"stopped"}');
      assert.equal(agent.cancel(order("good"), "good").body, '{"status":"acknowledged"}');
      assert.deepEqual(
        reports.map(({ ticket }) => ticket.token),
        ["good.1"],
      );
    });

    test("of an earlier attempt leaves the later one alone", async () => {
      const agent = workload();
      void agent.accept(delivery("t", 2), "t");
      assert.equal(agent.cancel(order("t", 1), "t").body, '{"status":"unknown"}');
      assert.equal(calls[0]?.task.signal.aborted, false);
    });

    test("whose handler ignores that does not keep the agent from stopping", async () => {
      const agent = workload();
      await underWay(agent);
      agent.cancel(order("t"), "t");
      const drained = agent.drain(10 * SECOND);
      clock.advance(10 * SECOND);
      await drained;
      assert.deepEqual([stops, reports], [[], []]);
    });
  });
});

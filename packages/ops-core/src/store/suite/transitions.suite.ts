import assert from "node:assert/strict";
import { deliveryTable } from "../../domain/deliveries/transitions.ts";
import { sessionTable, stepTable } from "../../domain/sessions/transitions.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { attemptTable, taskTable } from "../../domain/tasks/transitions.ts";
import { nextState, type TransitionTable } from "../../domain/transition-table.ts";
import { step, workflow } from "./test-definitions.ts";
import type { Declare, Suite } from "./test-rig.ts";
import { failed, need, senderOf, type World } from "./test-world.ts";

const TIMEOUT = 2_000_000;
const FAR = 3_600_000_000;

/** A real row in some state, and what can happen to it. */
interface Subject<E extends string> {
  status(): Promise<string | undefined>;
  /** Everything about it that only a legal transition may change. */
  facts(): Promise<unknown>;
  readonly fire: Readonly<Record<E, () => Promise<unknown>>>;
}

interface Generated<S extends string, E extends string> {
  readonly table: TransitionTable<S, E>;
  bring(w: World, state: S): Promise<Subject<E>>;
  /** Pairs that the table allows and that come about in other ways than by this event on this row. */
  readonly elsewhere?: readonly `${S}+${E}`[];
}

/** Each (state, event) pair of each table, on a real row: legal moves happen, illegal ones change nothing. */
export const transitionsSuite: Suite = (on) => {
  declare(on, { table: taskTable, bring: task });
  declare(on, { table: attemptTable, bring: attempt });
  declare(on, { table: sessionTable, bring: session, elsewhere: ["started+complete"] });
  declare(on, { table: stepTable, bring: sessionStep });
  declare(on, { table: deliveryTable, bring: delivery });
};

function declare<S extends string, E extends string>(on: Declare, { table, bring, elsewhere }: Generated<S, E>): void {
  const events = Object.keys(table.transitions) as E[];
  for (const state of table.states) {
    for (const event of events) {
      const to = nextState(table, state, event);
      if (elsewhere?.includes(`${state}+${event}`)) continue;
      on(`${table.noun} ${state}, ${event}: ${to ?? "nothing changes"}`, async (w) => {
        const subject = await bring(w, state);
        assert.equal(await subject.status(), state, "the row is not in its state");
        const before = await subject.facts();
        await subject.fire[event]().catch(() => undefined);
        assert.equal(await subject.status(), to ?? state);
        if (to === null) assert.deepEqual(await subject.facts(), before);
        else if (to !== state) assert.notDeepEqual(await subject.facts(), before);
      });
    }
  }
}

/** An agent, a task that has been tried once or more, and its last attempt. */
async function tried(w: World): Promise<{ id: string; sent: ClaimedAttempt }> {
  await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
  const retry = { ...STEP_RETRY, maxAttempts: 9, initialDelay: 0, maxDelay: 0 };
  const { id } = await w.task({ retry, timeout: TIMEOUT, deadline: FAR });
  return { id, sent: w.take() };
}

async function pass(w: World, micros: number): Promise<void> {
  await w.store.process.beat();
  w.clock.advance(micros);
  await w.store.process.beat();
  await w.expire();
}

async function task(w: World, state: string) {
  const { id, sent } = await tried(w);
  if (state === "pending") await w.fail(sent);
  if (state === "completed") await w.complete(sent);
  if (state === "failed") await w.fail(sent, "rejected");
  if (state === "cancelled") await w.store.tasks.cancel(id, "no more");
  return {
    status: async () => (await w.store.tasks.get(id))?.status,
    facts: async () => [await w.store.tasks.get(id), await w.store.tasks.attempts(id)],
    fire: {
      claim: () => w.dispatch(),
      release: () => w.store.attempts.undelivered(senderOf(sent), "refused"),
      retry: () => w.fail(sent),
      complete: () => w.complete(sent),
      fail: () => (state === "pending" ? pass(w, FAR) : w.fail(sent, "rejected")),
      cancel: () => w.store.tasks.cancel(id, "changed my mind"),
    },
  };
}

async function attempt(w: World, state: string) {
  const { id, sent } = await tried(w);
  const restart = () =>
    w.store.agents.register(w.registration("worker", { capabilities: ["other"], replace: "allowed" }));
  if (state === "dispatched") await w.store.attempts.broken(senderOf(sent), "reset");
  if (state === "acknowledged") await w.acknowledge(sent);
  if (state === "succeeded") await w.complete(sent);
  if (state === "failed") await w.fail(sent);
  if (state === "timed_out") await pass(w, TIMEOUT);
  if (state === "lost") await restart();
  if (state === "cancelled") await w.store.tasks.cancel(id, "no more");
  const first = async () => (await w.store.tasks.attempts(id))[0];
  return {
    status: async () => (await first())?.status,
    facts: first,
    fire: {
      dispatch: () => w.store.attempts.broken(senderOf(sent), "reset"),
      resend: async () => {
        await w.crash();
        await w.store.attempts.adopt(10);
      },
      acknowledge: () => w.acknowledge(sent),
      succeed: () => w.complete(sent),
      fail: () => w.observe(sent, failed("unavailable")),
      time_out: () => pass(w, TIMEOUT),
      lose: restart,
      cancel: () => w.store.tasks.cancel(id, "changed my mind"),
    },
  };
}

async function session(w: World, state: string) {
  const document = workflow([step("a", { retry: { maxAttempts: 1 } })], { deadline: "1h" });
  const { id } = await w.start(document);
  await w.agent("worker", { capabilities: ["work"] });
  let sent: ClaimedAttempt | undefined;
  if (state !== "started") {
    await w.dispatch();
    sent = w.take();
  }
  if (state === "completed") await w.complete(need(sent, "attempt"));
  if (state === "failed") await w.fail(need(sent, "attempt"));
  if (state === "cancelled") await w.store.sessions.cancel(id, "no more");
  return {
    status: async () => (await w.store.sessions.get(id))?.status,
    facts: async () => {
      const { updatedAt: _updatedAt, ...record } = need(await w.store.sessions.get(id), "session");
      return [record, await w.store.sessions.steps(id)];
    },
    fire: {
      run: () => w.dispatch(),
      complete: () => w.complete(need(sent, "attempt")),
      fail: () => pass(w, FAR),
      cancel: () => w.store.sessions.cancel(id, "changed my mind"),
    },
  };
}

/** The second of two steps; it starts when the first completes with the right result, and fails when it does not. */
async function sessionStep(w: World, state: string) {
  const failing = step("second", { parameters: { x: "${{ steps.first.result.x }}" } });
  const { id } = await w.start(workflow([step("first"), failing], { onFailure: "continue" }));
  await w.agent("worker", { capabilities: ["work"] });
  await w.dispatch();
  const first = w.take();
  let second: ClaimedAttempt | undefined;
  if (state !== "pending") {
    await w.complete(first, { x: 1 });
    second = w.take();
  }
  if (state === "completed") await w.complete(need(second, "attempt"));
  if (state === "failed") await w.fail(need(second, "attempt"), "rejected");
  if (state === "cancelled") await w.store.sessions.cancel(id, "no more");
  return {
    status: async () => (await w.steps(id))[1] ?? "pending",
    facts: async () => (await w.store.sessions.steps(id))[1],
    fire: {
      start: () => w.complete(first, { x: 1 }),
      complete: async () => second && w.complete(second),
      fail: () => (second === undefined ? w.complete(first, {}) : w.fail(second, "rejected")),
      cancel: () => w.store.sessions.cancel(id, "changed my mind"),
    },
  };
}

async function delivery(w: World, state: string) {
  const { id } = w.delivery();
  await w.store.deliveries.enqueue(w.delivery({ id }));
  if (state === "delivered") await w.store.deliveries.delivered(id, 1);
  if (state === "failed") await w.store.deliveries.failed(id, 1, "given up", null);
  const next = state === "pending" ? 1 : 2;
  return {
    status: async () => (await w.store.deliveries.get(id))?.status,
    facts: () => w.store.deliveries.get(id),
    fire: {
      deliver: () => w.store.deliveries.delivered(id, next),
      postpone: () => w.store.deliveries.failed(id, next, "no", w.clock.now() + FAR),
      fail: () => w.store.deliveries.failed(id, next, "no", null),
    },
  };
}

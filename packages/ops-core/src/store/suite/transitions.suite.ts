import assert from "node:assert/strict";
import type { JsonObject } from "@opspawn/contract";
import { deliveryTable } from "../../domain/deliveries/transitions.ts";
import { type StepEvent, type StepStatus, sessionTable, stepTable } from "../../domain/sessions/transitions.ts";
import { STEP_RETRY } from "../../domain/tasks/retry.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { attemptTable, type TaskEvent, taskTable } from "../../domain/tasks/transitions.ts";
import { nextState, type TransitionTable } from "../../domain/transition-table.ts";
import { step, workflow } from "./test-definitions.ts";
import { intend } from "./test-effects.ts";
import { decide } from "./test-language.ts";
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
  bring(w: World, state: S, event: E): Promise<Subject<E>>;
  /** Pairs that the table allows and that come about in other ways than by this event on this row. */
  readonly elsewhere?: readonly `${S}+${E}`[];
}

/** Each (state, event) pair of each table, on a real row: legal moves happen, illegal ones change nothing. */
export const transitionsSuite: Suite = (on) => {
  declare(on, { table: taskTable, bring: task });
  declare(on, { table: attemptTable, bring: attempt });
  declare(on, { table: sessionTable, bring: session });
  // A condition is looked at in the transition in which its step begins.
  declare(on, { table: stepTable, bring: sessionStep, elsewhere: ["running+wait", "running+skip"] });
  declare(on, { table: deliveryTable, bring: delivery });
};

function declare<S extends string, E extends string>(on: Declare, { table, bring, elsewhere }: Generated<S, E>): void {
  const events = Object.keys(table.transitions) as E[];
  for (const state of table.states) {
    for (const event of events) {
      const to = nextState(table, state, event);
      if (elsewhere?.includes(`${state}+${event}`)) continue;
      on(`${table.noun} ${state}, ${event}: ${to ?? "nothing changes"}`, async (w) => {
        const subject = await bring(w, state, event);
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
async function tried(w: World): Promise<{ id: string; sent: ClaimedAttempt; session: string | null }> {
  await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
  const retry = { ...STEP_RETRY, maxAttempts: 9, initialDelay: 0, maxDelay: 0 };
  const { id } = await w.task({ retry, timeout: TIMEOUT, deadline: FAR });
  return { id, sent: w.take(), session: null };
}

async function pass(w: World, micros: number): Promise<void> {
  await w.store.process.beat();
  w.clock.advance(micros);
  await w.store.process.beat();
  await w.expire();
}

/** As `tried`, of a step about whose effects a person is asked. */
async function doubtable(w: World): Promise<{ id: string; sent: ClaimedAttempt; session: string }> {
  await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
  const { id: session } = await w.start(workflow([step("a", { onUncertain: "ask", timeout: "2s" })]));
  const sent = w.take();
  return { id: sent.taskId, sent, session };
}

async function task(w: World, state: string, event: TaskEvent) {
  const mayDoubt = event === "doubt" || event === "affirm";
  const { id, sent, session } = await (mayDoubt ? doubtable(w) : tried(w));
  const cancel = (reason: string) =>
    session === null ? w.store.tasks.cancel(id, reason) : w.store.sessions.cancel(session, reason);
  if (state === "pending") await (event === "affirm" ? leaveOpen(w, sent) : w.fail(sent));
  if (state === "completed") await w.complete(sent);
  if (state === "failed") await w.fail(sent, "rejected");
  if (state === "cancelled") await cancel("no more");
  return {
    status: async () => (await w.store.tasks.get(id))?.status,
    facts: async () => [await w.store.tasks.get(id), await w.store.tasks.attempts(id)],
    fire: {
      claim: () => w.dispatch(),
      release: () => w.store.attempts.undelivered(senderOf(sent), "refused"),
      retry: () => w.fail(sent),
      doubt: () => leaveOpen(w, sent),
      complete: () => w.complete(sent),
      affirm: () => decide(w, session ?? "", true),
      fail: () => (state === "pending" ? pass(w, FAR) : w.fail(sent, "rejected")),
      cancel: () => cancel("changed my mind"),
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

/** A step whose failure is ignored, a wait, and another step, if the signal says so. */
async function session(w: World, state: string) {
  const first = step("a", { retry: { maxAttempts: 1 }, deadline: "30m", onFailure: "continue" });
  const last = step("b", { when: "steps.pause.result.more" });
  const document = workflow([first, { taskId: "pause", wait: { signal: "go" } }, last], { deadline: "1h" });
  const { id } = await w.start(document);
  await w.agent("worker", { capabilities: ["work"] });
  let sent: ClaimedAttempt | undefined;
  const signal = (more: boolean) => w.store.sessions.signal({ sessionId: id, name: "go", payload: `{"more":${more}}` });
  const passFirst = () => (sent === undefined ? pass(w, FAR / 2) : w.complete(sent));
  const complete = async () => {
    await signal(false);
    await passFirst();
  };
  if (state !== "started") {
    await w.dispatch();
    sent = w.take();
  }
  if (state === "waiting") await w.complete(need(sent, "attempt"));
  if (state === "completed") await complete();
  if (state === "failed") await pass(w, FAR);
  if (state === "cancelled") await w.store.sessions.cancel(id, "no more");
  if (state === "paused") await w.store.sessions.pause(id, "ann", null);
  return {
    status: async () => (await w.store.sessions.get(id))?.status,
    facts: async () => {
      const { updatedAt: _updatedAt, ...record } = need(await w.store.sessions.get(id), "session");
      return [record, await w.store.sessions.steps(id)];
    },
    fire: {
      run: () => w.dispatch(),
      // What would let another session wait is noted by a paused one.
      wait: async () => (state === "paused" ? undefined : passFirst()),
      pause: () => w.store.sessions.pause(id, "bob", "later"),
      resume: () => (state === "paused" ? w.store.sessions.resume(id, "ann") : signal(true)),
      complete,
      fail: () => pass(w, FAR),
      cancel: () => w.store.sessions.cancel(id, "changed my mind"),
    },
  };
}

/** How a step comes to be undone, or not: it is not known whether it was done, and nobody says to undo it all the same. */
function isDoubtful(state: StepStatus, event: StepEvent): boolean {
  if (state === "uncertain") return event !== "compensate";
  return event === "doubt" && state !== "compensated";
}

/** A step that can get from this state where the event leads. */
function subjectOf(state: StepStatus, event: StepEvent): JsonObject {
  if (state === "waiting" || (state === "pending" && event === "wait"))
    return { taskId: "subject", wait: { signal: "go", timeout: "1h" } };
  if (state === "skipped" || (state === "pending" && event === "skip"))
    return step("subject", { when: "steps.first.result.x > 1" });
  if (state === "pending" && event === "complete") return step("subject", { forEach: [] });
  const undone = event === "doubt" || event === "compensate";
  const list = { forEach: state === "cancelled" ? [1, 2] : [1], concurrency: 1, onItemError: "collect" };
  const isList = undone && (state === "cancelled" || (state === "completed" && event === "doubt"));
  return step("subject", {
    parameters: { x: "${{ steps.first.result.x }}" },
    retry: { maxAttempts: 1 },
    timeout: "2s",
    compensate: { agentCapability: "undo", whenUnknown: isDoubtful(state, event) ? "report" : "run" },
    ...(isList ? list : {}),
  });
}

/** A step behind another one, beside two that decide when and how the session fails. */
async function sessionStep(w: World, state: StepStatus, event: StepEvent) {
  const undone = [state, event].some((word) => ["doubt", "compensate", "uncertain", "compensated"].includes(word));
  const bad = step("bad", { retry: { maxAttempts: 1 } });
  const subject = { ...subjectOf(state, event), dependsOn: ["first"] };
  const onFailure = undone && state !== "waiting" ? "compensate" : "continue";
  await w.agent("worker", { capabilities: ["work"], maxConcurrency: 9 });
  await w.agent("undoer", { capabilities: ["undo"] });
  const { id } = await w.start(workflow([step("first"), bad, step("hold"), subject], { onFailure }));
  const [first, failing, hold] = [w.take(), w.take(), w.take()];
  const undo = async () => {
    if (state === "waiting") return w.complete(first, { x: 1 });
    await w.fail(failing, "rejected");
    await w.complete(hold);
    await w.dispatch();
    const undoing = w.sent.shift();
    return undoing && w.complete(undoing);
  };
  if (state !== "pending") await w.complete(first, { x: 1 });
  const sent = w.sent.shift();
  await reach(w, { id, state, event, sent, failing });
  if ((state === "uncertain" && event !== "compensate") || state === "compensated") await undo();
  return {
    status: async () => (await w.steps(id))[3] ?? "pending",
    facts: async () => (await w.store.sessions.steps(id)).find(({ index }) => index === 3),
    fire: {
      start: () => w.complete(first, { x: 1 }),
      wait: () => w.complete(first, { x: 1 }),
      complete: async () => {
        if (state === "waiting") return w.store.sessions.signal({ sessionId: id, name: "go", payload: "1" });
        return w.complete(sent ?? first, { x: 1 });
      },
      fail: () => {
        if (state === "waiting") return pass(w, FAR);
        return sent === undefined ? w.complete(first, {}) : w.fail(sent, "rejected");
      },
      skip() {
        return w.complete(first, { x: 1 });
      },
      cancel: () => w.store.sessions.cancel(id, "changed my mind"),
      doubt: () => (state === "running" ? leaveOpen(w, need(sent, "attempt")) : undo()),
      compensate: undo,
    },
  };
}

interface Way {
  readonly id: string;
  readonly state: StepStatus;
  readonly event: StepEvent;
  readonly sent: ClaimedAttempt | undefined;
  readonly failing: ClaimedAttempt;
}

/** Brings the step, whose task may have been sent, to its state. */
async function reach(w: World, { id, state, event, sent, failing }: Way): Promise<void> {
  const isUndone = event === "doubt" || event === "compensate";
  const end = () => (event === "doubt" ? pass(w, TIMEOUT) : w.complete(need(sent, "attempt")));
  if (state === "completed" || state === "compensated") {
    await (state === "completed" ? end() : w.complete(need(sent, "attempt")));
  } else if (state === "failed" && !isUndone) await w.fail(need(sent, "attempt"), "rejected");
  else if (state === "uncertain" && event === "compensate") await leaveOpen(w, need(sent, "attempt"));
  else if (state === "failed" || state === "uncertain") await pass(w, TIMEOUT);
  else if (state === "cancelled" && isUndone) {
    await w.fail(failing, "rejected");
    await end();
  } else if (state === "cancelled") await w.store.sessions.cancel(id, "no more");
}

/** Nobody knows whether what it announced has happened. */
async function leaveOpen(w: World, attempt: ClaimedAttempt): Promise<void> {
  await intend(w, attempt, "effect");
  await w.fail(attempt, "rejected");
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

import type { JsonObject, JsonValue } from "@opspawn/contract";
import type { Approval } from "../../domain/approvals/approval.ts";
import type { ClaimedAttempt } from "../../domain/tasks/task.ts";
import { readDefinition } from "../../domain/workflows/definition.ts";
import { step } from "./test-definitions.ts";
import { need, type World } from "./test-world.ts";

/** A step that is tried once. */
export const ONCE: JsonObject = { retry: { maxAttempts: 1 } };

/** An agent that does all `work` at once, and one that undoes it. */
export async function workers(w: World): Promise<void> {
  await w.agent("worker", { capabilities: ["work"], maxConcurrency: 1_000 });
  await w.agent("undoer", { capabilities: ["undo"], maxConcurrency: 1_000 });
}

/** Saves a workflow, so that steps can name it. */
export async function apply(w: World, document: JsonObject): Promise<void> {
  const { text, hash, plan } = readDefinition(document, []);
  const { id, version, name, description, steps } = plan;
  const appliedAt = w.clock.now();
  await w.store.workflows.apply({
    id,
    version,
    name,
    description,
    steps: steps.length,
    hash,
    document: text,
    appliedAt,
  });
}

/** What a task is told to come to: a result, or nothing but a failure. */
export type Answer = (parameters: JsonObject, attempt: ClaimedAttempt) => JsonValue | typeof FAILS;
export const FAILS = Symbol("fails");

/** Does all work that there is, until none is left; the parameters of what was done, in order. */
export async function workOff(w: World, answer: Answer = () => null): Promise<JsonObject[]> {
  const done: JsonObject[] = [];
  for (;;) {
    await w.dispatch();
    const sent = w.sent.shift();
    if (sent === undefined) return done;
    const parameters = JSON.parse(sent.parameters) as JsonObject;
    done.push(parameters);
    const result = answer(parameters, sent);
    if (result === FAILS) await w.fail(sent, "rejected");
    else await w.complete(sent, result);
  }
}

/** The statuses of the steps that were touched, in listed order. */
export async function statuses(w: World, sessionId: string): Promise<string[]> {
  return (await w.store.sessions.steps(sessionId)).map(({ status }) => status);
}

/** How a session ended: its status, its result or the code of its error. */
export async function end(w: World, sessionId: string): Promise<[status: string, value: unknown]> {
  const { status, result, error } = await w.getSession(sessionId);
  return [status, error?.code ?? JSON.parse(result ?? "null")];
}

/** Code and message of a step's error. */
export async function errorOf(w: World, sessionId: string, index: number): Promise<[code: string, message: string]> {
  const found = (await w.store.sessions.steps(sessionId)).find((each) => each.index === index);
  const { code, message } = need(found?.error, "error");
  return [code, message];
}

/** The approval a session asks for; of several the last one. */
export async function approvalOf(w: World, sessionId: string): Promise<Approval> {
  const { items } = await w.store.approvals.list({ limit: 5 }, { session: sessionId });
  return need(items[0], "approval");
}

export async function decide(w: World, sessionId: string, approved: boolean, comment: string | null = null) {
  const { id } = await approvalOf(w, sessionId);
  return w.store.approvals.decide(id, { approved, by: "ann", comment });
}

export function signal(w: World, sessionId: string, name: string, payload: JsonValue = null) {
  return w.store.sessions.signal({ sessionId, name, payload: JSON.stringify(payload) });
}

/** Time passes at once, and what fell due is decided. */
export async function pass(w: World, micros: number): Promise<void> {
  await w.store.process.beat();
  w.clock.advance(micros);
  await w.store.process.beat();
  await w.expire();
}

/** The process stops in good order, and another one starts. */
export async function restart(w: World): Promise<void> {
  await w.raw.close();
  await w.reopen();
}

/** A step that is undone by telling its name and what it had come to. */
export function undoable(taskId: string, rest: JsonObject = {}, compensate: JsonObject = {}): JsonObject {
  const parameters = { undo: taskId, was: `\${{ steps.${taskId}.result }}` };
  return step(taskId, {
    parameters: { do: taskId },
    compensate: { agentCapability: "undo", parameters, ...compensate },
    ...rest,
  });
}

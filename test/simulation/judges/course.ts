import { isDeepStrictEqual } from "node:util";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import { resultOf, type SessionStory, type StepStory } from "./session-story.ts";

/** What is wrong with a session, compared with its definition: which steps began and when, how it ended, what it says. */
export function* courseOf(story: SessionStory): Iterable<string> {
  const name = `session ${story.row.id} (${story.row.status})`;
  for (const finding of [...order(story), ...end(story), ...data(story)]) yield `${name}: ${finding}`;
}

/** A step begins once those before it have ended well enough, and nothing begins once the session is to fail. */
function* order({ steps, facts }: SessionStory): Iterable<string> {
  const fatal = fatalIn(steps);
  const failedAt = fatal.map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY);
  const endsAt = Math.min(...failedAt, endOf(facts));
  for (const step of steps.values()) {
    const before = step.dependsOn.flatMap((id) => steps.get(id) ?? []);
    const released = before.every(isPassed);
    const hasBegun = step.status !== "none";
    if (hasBegun && !released) yield `step ${step.id} began although not all before it had ended well`;
    const lastEnd = Math.max(0, ...before.map(({ endedAt }) => endedAt ?? 0));
    if (step.begunAt !== null && step.begunAt < lastEnd) yield `step ${step.id} began before its time`;
    if (step.begunAt !== null && step.begunAt > endsAt) yield `step ${step.id} began when the session was to end`;
    const hasWaitedForTasks = before.every(({ task }) => task !== null);
    if (!hasBegun && released && hasWaitedForTasks && lastEnd < endsAt && fatal.length === 0) {
      yield `step ${step.id} never began`;
    }
  }
}

function endOf(facts: SessionStory["facts"]): number {
  const ends = ["session.completed", "session.failed", "session.cancelled"];
  return facts.find(({ type }) => ends.includes(type))?.sequence ?? Number.POSITIVE_INFINITY;
}

/** It ended well, or it failed and the session goes on. */
function isPassed({ status, isFatal }: StepStory): boolean {
  return status === "completed" || (status === "failed" && !isFatal);
}

function fatalIn(steps: SessionStory["steps"]): StepStory[] {
  return [...steps.values()].filter(({ status, isFatal }) => status === "failed" && isFatal);
}

function* end(story: SessionStory): Iterable<string> {
  const { row, steps } = story;
  const all = [...steps.values()];
  const failed = all.filter(({ status }) => status === "failed").map(({ id }) => id);
  const said = JSON.parse(row.failed_steps) as string[];
  if (!isDeepStrictEqual(said.toSorted(), failed.toSorted())) yield `it says that ${said} failed, and ${failed} did`;
  const code = row.error === null ? null : String((JSON.parse(row.error) as JsonObject).code);
  const isCut = code === "deadline_exceeded" || row.status === "cancelled";
  if (!isCut && all.some(({ status }) => status === "cancelled")) yield "a step was cancelled without a cause";
  if (isCut && all.some(({ status }) => status === "pending" || status === "running")) yield "a step goes on";
  if (row.status === "completed" && !all.every(isPassed)) yield "not all of its steps have ended well";
  if (row.status === "failed") yield* failure(story, code);
}

/** Why it failed: a step did, or its time was over, or what it had to say does not fit. */
function* failure(story: SessionStory, code: string | null): Iterable<string> {
  const { row, steps } = story;
  const fatal = fatalIn(steps);
  if (code === "deadline_exceeded") {
    // A step may have failed for the same cause.
    if (fatal.length === 0 && row.ended_at - row.created_at < deadlineOf(story)) yield "it failed before its deadline";
  } else if (fatal.length > 0) {
    const errors = fatal.map((step) => step.task?.error ?? step.failedBefore);
    if (!errors.includes(row.error)) yield `it failed (${code}) for another reason than its steps`;
  } else if (code !== "output_invalid" || ![...steps.values()].every(isPassed)) {
    yield `it failed (${code}) without a step that did`;
  } else if (typeof first(story) === "string") {
    yield "its output fits, and it failed";
  }
}

function deadlineOf({ document }: SessionStory): number {
  const text = String(document.deadline);
  return Number.parseInt(text, 10) * (text.endsWith("m") ? 60_000_000 : 1_000_000);
}

/** What went into steps, and what came out in the end. */
function* data(story: SessionStory): Iterable<string> {
  const { row, document, steps } = story;
  for (const step of steps.values()) yield* dataOf(story, step);
  if (row.status !== "completed") return;
  const said = JSON.parse(row.result ?? "null") as JsonValue;
  const right = document.output === undefined ? sinks(steps) : { first: first(story) };
  if (!isDeepStrictEqual(said, right)) yield `its result is ${row.result}, ${JSON.stringify(right)} is right`;
  if (document.output !== undefined && typeof first(story) !== "string") yield "its output does not fit";
}

function* dataOf({ row, steps }: SessionStory, step: StepStory): Iterable<string> {
  const { task, written } = step;
  // That was judged where it was done.
  if (step.isTaken) return;
  const refused = step.failedBefore === null ? null : (JSON.parse(step.failedBefore) as JsonObject);
  const read = (written.parameters as JsonObject).before as JsonObject | undefined;
  const readable = read === undefined ? undefined : steps.get(String(read.step));
  const fits = written.input === undefined || readable === undefined || typeof resultOf(readable) === "string";
  if (refused !== null && (refused.code !== "input_invalid" || fits))
    yield `step ${step.id} was refused its parameters`;
  if (task === null) return;
  if (!fits) yield `step ${step.id} began with parameters that do not fit`;
  const right = expectedParameters(step, row, steps);
  const given = JSON.parse(task.parameters) as JsonObject;
  if (!isDeepStrictEqual(given, right))
    yield `step ${step.id} got ${task.parameters}, ${JSON.stringify(right)} is right`;
  if (task.status === "completed" && written.output !== undefined && typeof resultOf(step) !== "string") {
    yield `step ${step.id} has a result that does not fit`;
  }
}

/** Where nothing is read by name, each step is given what those before it made. */
function expectedParameters(step: StepStory, { document }: { document: string }, steps: SessionStory["steps"]) {
  if (step.given !== null) return JSON.parse(step.given) as JsonObject;
  const parameters = structuredClone(step.written.parameters) as JsonObject;
  const before = parameters.before as JsonObject | undefined;
  const result = (id: string): JsonValue => {
    const found = steps.get(id);
    return found === undefined ? null : resultOf(found);
  };
  if (before !== undefined) before.result = result(String(before.step));
  const isOriginal = !["${{", '"onUncertain"', '"tool"'].some((sign) => document.includes(sign));
  if (!isOriginal || step.dependsOn.length === 0) return parameters;
  const [only, ...others] = step.dependsOn;
  const previous =
    others.length === 0 ? result(String(only)) : Object.fromEntries(step.dependsOn.map((id) => [id, result(id)]));
  return { ...parameters, previous };
}

/** The results of the steps that nobody waits for. */
function sinks(steps: SessionStory["steps"]): JsonObject {
  const waitedFor = new Set([...steps.values()].flatMap(({ dependsOn }) => dependsOn));
  const last = [...steps.values()].filter(({ id }) => !waitedFor.has(id));
  return Object.fromEntries(last.map((step) => [step.id, resultOf(step)]));
}

function first({ steps }: SessionStory): JsonValue {
  const step = steps.get("s0");
  return step === undefined ? null : resultOf(step);
}

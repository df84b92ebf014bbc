import { isDeepStrictEqual } from "node:util";
import type { JsonObject, JsonValue } from "@opspawn/contract";
import type { ProgramStep, ProgramStory, Run } from "./program-story.ts";

/** What went into the runs of steps, how many there were, and what the session says in the end. */
export function* programData(story: ProgramStory): Iterable<string> {
  for (const step of story.steps.values()) {
    yield* given(step, story);
    yield* loop(step);
    yield* list(step, story);
  }
  yield* undoneWith(story);
  const { row, document, steps } = story;
  if (row.status !== "completed" || document.output !== undefined) return;
  const waitedFor = new Set([...steps.values()].flatMap(({ dependsOn }) => dependsOn));
  const last = [...steps.values()].filter(({ id, owner }) => !waitedFor.has(id) && owner?.role !== "fallback");
  const right = Object.fromEntries(last.map((step) => [step.id, resultOf(step, story)]));
  const said = JSON.parse(row.result ?? "null") as JsonValue;
  if (!isDeepStrictEqual(said, right)) yield `its result is ${row.result}, ${JSON.stringify(right)} is right`;
}

/** The list of a step with `forEach`; null of others. */
export function listOf({ written: { forEach } }: ProgramStep, { input }: ProgramStory): JsonValue[] | null {
  if (forEach === undefined) return null;
  if (!Array.isArray(forEach)) return input.list as JsonValue[];
  return forEach.map((item) => (String(item).includes("${{") ? (input.n ?? null) : item));
}

function* given(step: ProgramStep, story: ProgramStory): Iterable<string> {
  const { written, runs } = step;
  for (const run of runs) {
    const right = written.workflow === undefined ? parametersOf(step, run, story) : { n: childInput(step, run, story) };
    if (!isDeepStrictEqual(JSON.parse(run.parameters), right))
      yield `part ${run.part} of step ${step.id} got ${run.parameters}, ${JSON.stringify(right)} is right`;
  }
}

function childInput(step: ProgramStep, { part }: Run, story: ProgramStory): JsonValue {
  return listOf(step, story)?.[part] ?? story.input.n ?? null;
}

function parametersOf(step: ProgramStep, { part }: Run, story: ProgramStory): JsonObject {
  const { parameters } = step.written as { readonly parameters: JsonObject };
  const own: JsonObject = {};
  if (parameters.n !== undefined) own.n = story.input.n ?? null;
  if (parameters.item !== undefined) Object.assign(own, { item: listOf(step, story)?.[part] ?? null, index: part });
  if (parameters.iteration !== undefined) {
    const before = step.runs.find((run) => run.part === part - 1);
    Object.assign(own, { iteration: part, last: before === undefined ? null : outcomeOf(before) });
  }
  return { ...parameters, ...own };
}

/** A loop goes round until it is enough, and no oftener than it may. */
function* loop(step: ProgramStep): Iterable<string> {
  const repeat = step.written.repeat as JsonObject | undefined;
  if (repeat === undefined) return;
  const { runs, id, end } = step;
  const enough = Number(String(repeat.until).split(">=")[1]);
  const most = Math.min(enough + 1, Number(repeat.maxIterations));
  if (runs.length > most) yield `step ${id} went round ${runs.length} times, ${most} at most`;
  for (const [i, run] of runs.slice(1).entries()) {
    const pause = (run.begunAt ?? Number.POSITIVE_INFINITY) - (runs[i]?.endedAt ?? Number.POSITIVE_INFINITY);
    if (pause < Number.parseInt(String(repeat.delay ?? "0"), 10) * 1_000)
      yield `step ${id} did not wait for round ${i}`;
  }
  const isEnough = enough < Number(repeat.maxIterations);
  const isExhausted = String(end?.error).includes("iterations_exhausted");
  if (end?.status === "completed" && (runs.length !== most || (!isEnough && repeat.onExhausted === "fail")))
    yield `step ${id} is completed after ${runs.length} of ${most} rounds`;
  if (isExhausted && (isEnough || repeat.onExhausted === "complete" || runs.length < most))
    yield `step ${id} was not enough, after ${runs.length} rounds`;
}

/** An item that fails, fails the step, unless they are collected. */
function* list(step: ProgramStep, story: ProgramStory): Iterable<string> {
  const items = listOf(step, story);
  if (items === null) return;
  const { id, end, runs, written } = step;
  const failed = runs.filter(({ status }) => status === "failed");
  if (runs.length > items.length) yield `step ${id} has ${runs.length} runs for ${items.length} items`;
  if (end?.status === "completed" && runs.length < items.length)
    yield `step ${id} is completed after ${runs.length} of ${items.length} items`;
  if (end?.status === "completed" && failed.length > 0 && written.onItemError === "fail")
    yield `step ${id} is completed, and an item failed`;
  if (end?.status === "failed" && failed.length > 0 && written.onItemError === "collect")
    yield `step ${id} failed of an item that it was to collect`;
}

function outcomeOf({ status, result }: Run): JsonValue {
  return status === "completed" ? (JSON.parse(result ?? "null") as JsonValue) : null;
}

/** What a step came to, by its runs. */
function resultOf(step: ProgramStep, story: ProgramStory): JsonValue {
  const { written, runs, end } = step;
  if (end?.status !== "completed") return null;
  const items = listOf(step, story);
  if (items !== null) {
    return items.map((_item, i) => {
      const run = runs.find(({ part }) => part === i);
      return run === undefined ? null : outcomeOf(run);
    });
  }
  if (written.wait !== undefined || written.approval !== undefined)
    return JSON.parse(step.result ?? "null") as JsonValue;
  const spare = [...story.steps.values()].find(({ owner }) => owner?.id === step.id && owner.role === "fallback");
  const last = spare?.end?.status === "completed" ? spare.runs.at(-1) : runs.at(-1);
  return last === undefined ? null : outcomeOf(last);
}

/** What undoes a step knows what it had come to. */
function* undoneWith(story: ProgramStory): Iterable<string> {
  for (const { step: index, part, parameters } of story.undone) {
    const step = [...story.steps.values()].find((each) => each.index === index);
    const written = (step?.written.compensate as JsonObject | undefined)?.parameters as JsonObject | undefined;
    if (step === undefined || parameters === null || written?.was === undefined) continue;
    const right = { undo: step.id, was: resultOf(step, story) };
    // What never was completed has no result, or that of its last round.
    if (step.end?.status === "completed" && !isDeepStrictEqual(JSON.parse(parameters), right))
      yield `part ${part} of step ${step.id} is undone with ${parameters}, ${JSON.stringify(right)} is right`;
  }
}

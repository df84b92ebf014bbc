import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "@opspawn/contract";
import { programData } from "./program-data.ts";
import { branchOf, fatalIn, isFatal, isLeft } from "./program-failure.ts";
import type { ProgramStep, ProgramStory } from "./program-story.ts";
import { programTimes } from "./program-times.ts";
import { programUndoing } from "./program-undoing.ts";

/** What is wrong with a session whose workflow uses the language: what began and when, what was left out, how it ended. */
export function* programCourseOf(story: ProgramStory): Iterable<string> {
  const name = `program ${story.row.id} (${story.row.status})`;
  const steps = [...story.steps.values()].flatMap((step) => [...order(step, story), ...omission(step, story)]);
  const judgements = [...steps, ...end(story), ...programUndoing(story), ...programData(story), ...programTimes(story)];
  for (const finding of judgements) yield `${name}: ${finding}`;
}

/** A step begins once all before it have ended, and nothing begins once the session is to fail. */
function* order(step: ProgramStep, story: ProgramStory): Iterable<string> {
  const { id, begunAt } = step;
  if (begunAt === null) return;
  const failedAt = fatalIn(story)[0]?.end?.at ?? Number.POSITIVE_INFINITY;
  if (begunAt > failedAt) yield `step ${id} began when the session was to fail`;
  const endOf = (other: string) => story.steps.get(other)?.end?.at ?? Number.POSITIVE_INFINITY;
  for (const other of step.dependsOn) if (endOf(other) > begunAt) yield `step ${id} began before ${other} had ended`;
  if (isDead(step, story)) yield `step ${id} began, and nothing led to it`;
  const isDone = step.runs.length > 0 || step.end?.status !== "skipped";
  if (isDone && !holds(step, story)) yield `step ${id} was done although its condition did not hold`;
}

/** Nothing leads to it: a branch that was not taken, or what stands behind it or behind what was left for one. */
function isDead(step: ProgramStep, story: ProgramStory): boolean {
  const { owner } = step;
  const whose = owner === null ? undefined : story.steps.get(owner.id);
  if (owner?.role === "fallback") return whose?.end?.status === "skipped" || whose?.begunAt === null;
  if (owner !== null) return whose === undefined || branchOf(whose, story) !== step;
  return step.dependsOn.some((id) => {
    const before = story.steps.get(id);
    return before === undefined || branchOf(before, story) !== undefined || isDead(before, story);
  });
}

function holds({ written: { when } }: ProgramStep, { input, steps }: ProgramStory): boolean {
  if (when === undefined) return true;
  const text = String(when);
  const read = /^steps\.(\w+)\.status/.exec(text)?.[1];
  if (read !== undefined) return steps.get(read)?.end?.status === "completed";
  return Number(input.n) > Number(text.split(">")[1]);
}

/** In a session that went well, all that nothing led to is skipped, and the rest is done. */
function* omission(step: ProgramStep, story: ProgramStory): Iterable<string> {
  const { id, end, owner } = step;
  const isSkipped = end?.status === "skipped";
  const isSpare = owner?.role === "fallback";
  const isDue = !isDead(step, story) && holds(step, story);
  if (isSkipped && isDue && !isSpare) yield `step ${id} was skipped without a cause`;
  if (story.row.status !== "completed") return;
  if (!isDue && !isSkipped) yield `step ${id} is ${end?.status}, and had to be skipped`;
  if (end === null || end.status === "cancelled") yield `step ${id} has not ended well`;
  if (isFatal(step, story)) yield `step ${id} failed, and the session did not`;
}

function* end(story: ProgramStory): Iterable<string> {
  const { row, steps } = story;
  const failed = [...steps.values()].filter(
    (step) => step.end?.status === "failed" && step.owner?.role !== "fallback" && !isLeft(step, story),
  );
  const said = JSON.parse(row.failed_steps) as string[];
  const right = failed.map(({ id }) => id);
  if (!isDeepStrictEqual(said.toSorted(), right.toSorted())) yield `it says that ${said} failed, and ${right} did`;
  if (row.status !== "failed") return;
  const fatal = fatalIn(story)[0];
  const code = (JSON.parse(row.error ?? "{}") as JsonObject).code;
  if (code === "deadline_exceeded" && row.error !== fatal?.end?.error) return;
  if (fatal !== undefined && branchOf(fatal, story) !== undefined)
    yield `step ${fatal.id} failed, and its branch was not taken`;
  if (fatal === undefined) yield `it failed (${row.error}) without a step that did`;
  else if (!isDeepStrictEqual(JSON.parse(row.error ?? "null"), JSON.parse(fatal.end?.error ?? "null")))
    yield `it failed of ${row.error}, its first step of ${fatal.end?.error}`;
}

import type { JsonObject } from "@opspawn/contract";
import { listOf } from "./program-data.ts";
import { fatalIn, onFailureOf } from "./program-failure.ts";
import type { ProgramStep, ProgramStory } from "./program-story.ts";

/** What was done is undone exactly when the session failed and says so. */
export function* programUndoing(story: ProgramStory): Iterable<string> {
  const { row, steps } = story;
  const has = row.undo_total !== null;
  if (row.status !== "failed") {
    if (has) yield "it undid what it did, and has not failed";
    return;
  }
  if (has !== isAsked(story)) yield has ? "it undid what it did, and nobody wanted that" : "it undid nothing";
  if (has) for (const step of steps.values()) yield* undoingOf(step, story);
}

function isAsked(story: ProgramStory): boolean {
  const fatal = fatalIn(story)[0];
  const { code, message } = JSON.parse(story.row.error ?? "{}") as JsonObject;
  // A step whose task was late is a step that failed.
  const isLate = code === "deadline_exceeded" && message !== "The task's deadline has passed.";
  const isOwn = fatal !== undefined && onFailureOf(fatal, story) === "compensate";
  return isOwn || (isLate && story.document.onFailure === "compensate");
}

/** All that was completed, and what may have been if that does no harm. */
function* undoingOf(step: ProgramStep, story: ProgramStory): Iterable<string> {
  const { id, index, written, runs } = step;
  const compensation = written.compensate as JsonObject | undefined;
  if (compensation === undefined) return;
  const parts = story.undone.filter((each) => each.step === index).map(({ part }) => part);
  const missing = runs.filter(({ status, part }) => status === "completed" && !parts.includes(part));
  const guessed = runs.filter(({ status, part }) => status !== "completed" && parts.includes(part));
  if (written.repeat === undefined && missing.length > 0)
    yield `${missing.length} runs of step ${id} were done, and are not undone`;
  if (compensation.whenUnknown !== "run" && guessed.length > 0)
    yield `${guessed.length} runs of step ${id} were undone on a guess`;
  const most = listOf(step, story)?.length ?? 1;
  if (parts.length > most) yield `step ${id} was undone ${parts.length} times`;
}

import type { JsonObject } from "@opspawn/contract";
import type { ProgramStep, ProgramStory } from "./program-story.ts";

/** The branch that its failure is to lead to, instead of what stands behind it. */
export function branchOf(step: ProgramStep, { steps }: ProgramStory): ProgramStep | undefined {
  const code = codeOf(step);
  if (step.end?.status !== "failed") return undefined;
  return [...steps.values()].find(({ owner }) => owner?.id === step.id && owner.role === code);
}

function codeOf({ end }: ProgramStep): unknown {
  return end?.error == null ? null : (JSON.parse(end.error) as JsonObject).code;
}

export function onFailureOf(step: ProgramStep, { document }: ProgramStory): unknown {
  return step.written.onFailure ?? document.onFailure ?? "fail";
}

/** The session fails of it. */
export function isFatal(step: ProgramStep, story: ProgramStory): boolean {
  if (step.end?.status !== "failed" || step.owner?.role === "fallback") return false;
  return !isLeft(step, story) && onFailureOf(step, story) !== "continue";
}

/** All of them, the first to fail first. */
export function fatalIn(story: ProgramStory): ProgramStep[] {
  const fatal = [...story.steps.values()].filter((step) => isFatal(step, story));
  return fatal.sort((a, b) => (a.end?.at ?? 0) - (b.end?.at ?? 0));
}

/** It failed, and a branch was taken for that. In a session that is to fail already nobody takes it. */
export function isLeft(step: ProgramStep, story: ProgramStory): boolean {
  const branch = branchOf(step, story);
  return branch !== undefined && branch.begunAt !== null;
}

import { formatTime, type JsonObject, type JsonValue } from "@opspawn/contract";
import type { ProgramStep, ProgramStory } from "./program-story.ts";

const TIME = /^([-\d]+T[:\d]+)(?:\.(\d+))?(Z|([+-])(\d\d):(\d\d))$/;

/** A step that waits until a time ends when it has come, at once when it has passed, and fails of what is no time. */
export function* programTimes(story: ProgramStory): Iterable<string> {
  for (const step of story.steps.values()) {
    const until = (step.written.wait as JsonObject | undefined)?.until;
    if (until !== undefined && step.end !== null)
      for (const finding of waitOf(step, story)) yield `step ${step.id} ${finding}`;
  }
}

function* waitOf({ id, written, end }: ProgramStep, { facts, input }: ProgramStory): Iterable<string> {
  const { until } = written.wait as JsonObject;
  const read = /input\.(\w+)/.exec(String(until))?.[1];
  const due = microsecondsOf(read === undefined ? until : input[read]);
  const own = facts.filter(({ data }) => data.stepId === id);
  const set = own.find(({ type }) => type === "step.timer_set");
  const ended = own.find(({ type }) => type === "step.completed");
  if (due === null) {
    if (ended !== undefined) yield `waited for ${String(until)}, which is no time`;
    const code = (JSON.parse(end?.error ?? "{}") as JsonObject).code;
    if (end?.status === "failed" && code !== "expression_failed") yield `failed of ${String(code)}`;
    return;
  }
  if (end?.status === "failed") yield `failed of ${end.error}, and had a time to wait for`;
  if (set !== undefined && set.data.until !== formatTime(due))
    yield `waits until ${String(set.data.until)}, ${formatTime(due)} is right`;
  if (set !== undefined && set.at >= due) yield "waits for a time that has passed";
  if (ended !== undefined && ended.at < due) yield `ended ${due - ended.at} us before its time`;
}

/** Of a time as it is written; null when it is none. */
function microsecondsOf(text: JsonValue | undefined): number | null {
  const [, seconds, fraction = "", , sign, hours, minutes] = TIME.exec(String(text)) ?? [];
  if (seconds === undefined) return null;
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000_000;
  const local = Date.parse(`${seconds}Z`) * 1_000 + Number(fraction.padEnd(6, "0"));
  return sign === "-" ? local + offset : local - offset;
}

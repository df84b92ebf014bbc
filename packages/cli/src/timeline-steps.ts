import { isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";
import type { Tone } from "./output/style.ts";

type Told = readonly [tone: Tone | undefined, text: string];

/** What happens to steps that are not one task, and to the session as a whole. */
const TELLERS: Readonly<Record<string, (data: JsonObject) => Told | null>> = {
  "step.waiting": () => ["dim", "waits"],
  "step.timer_set": (data) => ["dim", `until ${text(data.until)}`],
  "step.completed": (data) => ["good", `done${itemsOf(data)}`],
  "step.failed": (data) => ["bad", `failed: ${errorIn(data)}`],
  "step.cancelled": () => ["warn", "cancelled"],
  "step.skipped": () => ["dim", "skipped"],
  "step.undone": () => ["warn", "undone"],
  "step.not_undone": (data) => ["bad", `could not be undone: ${errorIn(data)}`],
  "step.uncertain": () => ["bad", "nobody knows whether it was done, so it is not undone"],
  "approval.requested": (data) => [undefined, `decide: ${text(data.approvalId)}`],
  "approval.reminded": () => ["warn", "asks once more for a decision"],
  "approval.approved": (data) => ["good", `approved by ${text(data.by)}`],
  "approval.rejected": (data) => ["bad", `rejected by ${text(data.by)}`],
  "approval.expired": () => ["bad", "nobody decided in time"],
  "session.child_started": (data) => [undefined, `session ${text(data.sessionId)} of \`${text(data.workflowId)}\``],
  "session.signalled": (data) => [
    "dim",
    `signal \`${text(data.name)}\`${data.delivered === true ? "" : ", kept until a step waits for it"}`,
  ],
  "session.compensating": (data) => ["warn", `the session has failed, and undoes what it did (${data.steps})`],
  "session.paused": (data) => ["warn", `the session is paused by ${text(data.by)}${reasonIn(data)}`],
  // One that merely waited goes on without anybody's doing.
  "session.resumed": (data) =>
    data.by === undefined ? null : [undefined, `the session is resumed by ${text(data.by)}`],
  "step.taken_over": (data) => ["dim", `${text(data.status)} in session ${text(data.sessionId)}`],
};

/** What an event of a step without a task of its own says; undefined for other events, null when it says nothing. */
export function tellStep(type: string, data: JsonObject): { step: string; told: Told | null } | undefined {
  const isOther = !type.startsWith("step.") && !type.startsWith("approval.") && TELLERS[type] === undefined;
  if (isOther) return undefined;
  return { step: text(data.stepId), told: TELLERS[type]?.(data) ?? null };
}

function itemsOf({ items }: JsonObject): string {
  if (!isJsonObject(items)) return "";
  const { total, failed } = items;
  return failed === 0 ? `, ${total} items` : `, ${failed} of ${total} items failed`;
}

function reasonIn({ reason }: JsonObject): string {
  return typeof reason === "string" ? `: ${reason}` : "";
}

function errorIn({ error }: JsonObject): string {
  return isJsonObject(error) ? text(error.message) || text(error.code) : "no reason given";
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

import { formatTime, isJsonObject, type JsonObject, type JsonValue, jsonNumber, parseTime } from "@opspawn/contract";
import { invalidField } from "../request-fields.ts";

/** The ninth key of a message: the attempt that it delivers, as Ops-Core elsewhere wrote it. */
export interface Ticket {
  readonly taskId: string;
  readonly attempt: number;
  readonly token: string;
  readonly resultUrl: string;
  /** Microseconds. */
  readonly deadline: number;
  readonly capability: string | null;
}

/** Ids and tokens go into headers. */
const VISIBLE = /^[\x21-\x7e]{1,200}$/;

/**
 * Reads `opspawn` of a message; null when there is none. Keys beside its own are dropped.
 * @throws OpspawnError `invalid_request`
 */
export function readTicket(value: JsonValue | undefined): Ticket | null {
  if (value === undefined || value === null) return null;
  const loc = ["body", "opspawn"];
  if (!isJsonObject(value)) throw invalidField(loc, "must be an object");
  const { taskId, token, resultUrl, capability = null } = value;
  const attempt = value.attempt === undefined ? undefined : jsonNumber(value.attempt);
  const deadline = typeof value.deadline === "string" ? parseTime(value.deadline) : null;
  if (!isVisible(taskId)) throw invalidField([...loc, "taskId"], "must be a task's id");
  if (!isVisible(token)) throw invalidField([...loc, "token"], "must be an attempt's token");
  if (attempt === undefined || !Number.isSafeInteger(attempt))
    throw invalidField([...loc, "attempt"], "must be a number");
  if (typeof resultUrl !== "string" || !URL.canParse(resultUrl))
    throw invalidField([...loc, "resultUrl"], "must be a URL");
  if (deadline === null) throw invalidField([...loc, "deadline"], "must be a time such as 2026-01-31T12:00:00Z");
  if (capability !== null && typeof capability !== "string")
    throw invalidField([...loc, "capability"], "must be a text");
  return { taskId, attempt, token, resultUrl, deadline, capability };
}

function isVisible(value: JsonValue | undefined): value is string {
  return typeof value === "string" && VISIBLE.test(value);
}

/** As agents receive it. */
export function writeTicket({ taskId, attempt, token, resultUrl, deadline, capability }: Ticket): JsonObject {
  return { taskId, attempt, token, resultUrl, deadline: formatTime(deadline), capability };
}

/**
 * Where the attempt's lease is asked for, or null where its results do not go to Ops-Core's own route at `origin`: what a
 * message says must not choose what else is called there.
 */
export function leaseUrl({ taskId, resultUrl }: Pick<Ticket, "taskId" | "resultUrl">, origin: string): string | null {
  const url = URL.parse(resultUrl);
  const task = `/v1/opscore/tasks/${encodeURIComponent(taskId)}`;
  if (url === null || url.origin !== origin || url.search !== "" || url.hash !== "") return null;
  if (!url.pathname.endsWith(`${task}/result`)) return null;
  return `${url.href.slice(0, -"result".length)}lease`;
}

import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@opspawn/contract";
import type { HttpPost } from "@opspawn/ops-core/testing";

/** A task as an agent, or a call as a tool, is given it. */
export interface TestTask {
  readonly taskId: string;
  /** The step of the workflow it does; null for a task that stands alone. */
  readonly stepId: string | null;
  /** The step's name; null for the call of a tool, which is not told. */
  readonly name: string | null;
  readonly sessionId: string | null;
  /** What it is asked for. */
  readonly parameters: JsonValue;
  /** Counts the tries, from 1. */
  readonly attempt: number;
  /** What the step asked for; null where it named an agent, and for tools. */
  readonly capability: string | null;
  /** Lets time pass, such as `3s`: the only thing a handler may wait for. */
  sleep(duration: string): Promise<void>;
}

/** What was sent. */
export interface Sent {
  readonly taskId: string;
  readonly attempt: number;
  /** Says how the attempt ended, to whom it may concern. */
  readonly token: string;
  readonly name: string | null;
  readonly sessionId: string | null;
  readonly parameters: JsonValue;
  readonly capability: string | null;
}

/** Reads a message to an agent, or the call of a tool. */
export function readSent({ headers = {}, body }: HttpPost): Sent {
  const message = parseJson(body);
  const fields: JsonObject = isJsonObject(message) ? message : {};
  const ticket: JsonObject = isJsonObject(fields.opspawn) ? fields.opspawn : {};
  return {
    taskId: headers["idempotency-key"] ?? "",
    attempt: Number(headers["x-opspawn-attempt"] ?? 1),
    token: headers["x-opspawn-token"] ?? "",
    name: textOf(fields.task_name),
    sessionId: textOf(fields.opscore_session_id),
    parameters: fields.payload ?? fields.arguments ?? null,
    capability: textOf(ticket.capability),
  };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

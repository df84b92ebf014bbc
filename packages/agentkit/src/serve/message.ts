import { isJsonObject, type JsonObject, type JsonValue, parseTime } from "@opspawn/contract";
import { Refusal } from "./refusal.ts";

/** What lets an agent report an outcome after it has answered: one attempt at one task. */
export interface Ticket {
  readonly taskId: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Proves that the outcome belongs to this attempt. */
  readonly token: string;
  readonly resultUrl: string;
  /** Microseconds since the epoch; an outcome after it is of no use. */
  readonly deadline: number;
  /** What the sender wants done, where it asked for a capability. */
  readonly capability: string | null;
}

/** An AgentKit message, as far as an agent needs it. */
export interface Message {
  readonly senderId: string | null;
  readonly messageType: string;
  readonly taskName: string | null;
  readonly sessionId: string | null;
  readonly payload: JsonObject;
  /** Null when the sender wants no outcome beyond the answer. */
  readonly ticket: Ticket | null;
}

/** A message that says that a task is wanted no more. */
export interface CancelOrder {
  readonly cancellationId: string;
  readonly reason: string;
  /** Of the attempt that is cancelled. */
  readonly ticket: Ticket;
}

/** What a message of type `cancel` says; null for every other message, and for one that names no attempt. */
export function cancelOrderOf({ messageType, payload, ticket }: Message): CancelOrder | null {
  const { cancellationId, reason } = payload;
  if (messageType !== "cancel" || ticket === null || typeof cancellationId !== "string") return null;
  return { cancellationId, reason: typeof reason === "string" ? reason : "", ticket };
}

/**
 * Reads the body of a delivery: the eight keys of an AgentKit message and `opspawn`. Only what is used must be there.
 * @throws Refusal 400 `message_invalid`, naming the field
 */
export function readMessage(body: JsonValue): Message {
  const message = objectAt(body, "the body");
  const context = message.sessionContext == null ? null : objectAt(message.sessionContext, "sessionContext");
  return {
    senderId: textOrNull(message.senderId, "senderId"),
    messageType: text(message.messageType, "messageType"),
    taskName: textOrNull(message.task_name, "task_name"),
    sessionId:
      textOrNull(message.opscore_session_id, "opscore_session_id") ??
      textOrNull(context?.sessionId, "sessionContext.sessionId"),
    payload: objectAt(message.payload, "payload"),
    ticket: message.opspawn == null ? null : readTicket(objectAt(message.opspawn, "opspawn")),
  };
}

function readTicket(ticket: JsonObject): Ticket {
  const attempt = ticket.attempt;
  if (typeof attempt !== "number" || !Number.isInteger(attempt) || attempt < 1) {
    throw invalid("opspawn.attempt", "a whole number from 1");
  }
  const deadline = parseTime(text(ticket.deadline, "opspawn.deadline"));
  if (deadline === null) throw invalid("opspawn.deadline", "an ISO 8601 time with an offset");
  return {
    taskId: text(ticket.taskId, "opspawn.taskId"),
    attempt,
    token: text(ticket.token, "opspawn.token"),
    resultUrl: text(ticket.resultUrl, "opspawn.resultUrl"),
    deadline,
    capability: textOrNull(ticket.capability, "opspawn.capability"),
  };
}

function objectAt(value: JsonValue | undefined, field: string): JsonObject {
  if (!isJsonObject(value)) throw invalid(field, "a JSON object");
  return value;
}

function text(value: JsonValue | undefined, field: string): string {
  if (typeof value !== "string" || value === "") throw invalid(field, "a text that is not empty");
  return value;
}

function textOrNull(value: JsonValue | undefined, field: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw invalid(field, "a text or null");
  return value;
}

function invalid(field: string, expected: string): Refusal {
  return new Refusal(400, "message_invalid", `Not an AgentKit message: ${field} must be ${expected}.`);
}

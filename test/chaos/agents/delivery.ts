import type { Ticket } from "../../checker/entries.ts";
import type { Work } from "../workload.ts";

/** A task as an agent receives it, whichever way it came. */
export interface Delivery extends Ticket {
  readonly key: string;
  readonly session: string | null;
  readonly sentAt: string;
  readonly resultPath: string;
  readonly work: Work;
}

interface Message {
  readonly messageType: string;
  readonly timestamp: string;
  readonly payload: Work;
  readonly opscore_session_id: string | null;
  readonly opspawn: {
    readonly taskId: string;
    readonly attempt: number;
    readonly token: string;
    readonly resultUrl: string;
  };
}

/** @param key the Idempotency-Key of the request; a pulled task has none beside its id */
export function readDelivery(message: unknown, key?: string): Delivery {
  const { timestamp, payload, opscore_session_id, opspawn } = message as Message;
  return {
    task: opspawn.taskId,
    attempt: opspawn.attempt,
    token: opspawn.token,
    key: key ?? opspawn.taskId,
    session: opscore_session_id,
    sentAt: timestamp,
    resultPath: new URL(opspawn.resultUrl).pathname,
    work: payload,
  };
}

/** The attempt that a message calls off; null when it is about something else. */
export function readCancel(message: unknown): Ticket | null {
  const { messageType, opspawn } = message as Message;
  if (messageType !== "cancel") return null;
  const { taskId: task, attempt, token } = opspawn;
  return { task, attempt, token };
}

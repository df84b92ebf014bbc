import type { StoredEvent } from "../store.ts";
import { ANY_STREAM, streamKey } from "../waiters.ts";

/** Which events somebody wants. */
export interface Selection {
  /** Of this stream only; null = of all. */
  readonly stream: string | null;
  /** What numbers mean: a place among all events, or in the stream. */
  readonly counts: "positions" | "sequences";
  /** Only those that name this task. */
  readonly taskId?: string | undefined;
  /** Only of this agent, and of attempts it was given. */
  readonly agent?: string | undefined;
  /** Only of types that begin like this. */
  readonly type?: string | undefined;
}

/** Whether everything that is read is wanted. */
export function isWhole({ taskId, agent, type }: Selection): boolean {
  return taskId === undefined && agent === undefined && type === undefined;
}

export function isWanted({ taskId, agent, type }: Selection, event: StoredEvent): boolean {
  if (type !== undefined && !event.type.startsWith(type)) return false;
  if (taskId !== undefined && event.data.taskId !== taskId) return false;
  return agent === undefined || event.stream === agent || event.data.agentId === agent;
}

/** What to wait for. */
export function wakingKey({ stream }: Selection): string {
  return stream === null ? ANY_STREAM : streamKey(stream);
}

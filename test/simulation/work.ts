import type { JsonObject } from "@opspawn/contract";

/** How an agent tells outcomes. */
export type Manner = "answers" | "posts" | "names" | "states" | "pulls";

export interface Work {
  readonly taskId: string;
  readonly attempt: number;
  readonly token: string;
  /** Its step takes nothing but text. */
  readonly wantsText: boolean;
  /** It takes something done outside. */
  readonly pays: boolean;
}

/** What comes of work; null = it failed. */
export type Made = string | number | null;

/** What an agent calls a result that wants to be text. */
export const NO_TEXT = 42;

/** How work came. */
export interface Message {
  readonly key: string;
  readonly session: string | null;
  readonly doubled: boolean;
  /** Its place in the order of what was sent. */
  readonly sent: number;
  /** Microseconds from the attempt's beginning to its end. */
  readonly lasts: number;
}

export interface Told {
  readonly work?: Work;
  readonly result?: Made;
  /** Microseconds by which it is dated back. */
  readonly back?: number;
}

/** What a task's parameters ask of its agent. */
export function wishesOf(parameters: JsonObject): Pick<Work, "wantsText" | "pays"> {
  return { wantsText: parameters.wants === "text", pays: parameters.pays === true };
}

/** What an agent of this manner says of itself. @param reportedAt by its own clock */
export function reportOf(
  { id, manner }: { readonly id: string; readonly manner: Manner },
  state: string,
  { work, result }: { readonly work: Work | undefined; readonly result: Made },
  reportedAt: number,
) {
  const taskId = manner === "names" ? (work?.taskId ?? null) : null;
  return { agentId: id, state, details: JSON.stringify({ result }), timestamp: "", reportedAt, taskId };
}

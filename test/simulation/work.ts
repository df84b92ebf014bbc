/** How an agent tells outcomes. */
export type Manner = "answers" | "posts" | "names" | "states" | "pulls";

export interface Work {
  readonly taskId: string;
  readonly attempt: number;
  readonly token: string;
  /** Its step takes nothing but text. */
  readonly wantsText: boolean;
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
  /** Microseconds from the attempt's beginning to its end. */
  readonly lasts: number;
}

export interface Told {
  readonly work?: Work;
  readonly result?: Made;
  /** Microseconds by which it is dated back. */
  readonly back?: number;
}

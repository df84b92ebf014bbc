import { createHash } from "node:crypto";
import type { SaidLimits } from "../checker/entries.ts";

/** The kinds of agents; each is the capability of one step and a process of its own. */
export const KINDS = ["take", "answer", "pull", "late", "scarce", "payer", "stopper"] as const;
export type Kind = (typeof KINDS)[number];

export interface Work {
  readonly x: number;
  readonly y: number;
  /** Told to its agent, so that its log shows them without asking the server. */
  readonly limits?: SaidLimits;
  /** It is not done by itself: its session will be cancelled. */
  readonly holds?: boolean;
}

export interface Result {
  readonly value: number;
}

/** What an agent of this kind makes of its task: no two inputs of one session may be swapped unseen. */
export function resultOf(kind: Kind, { x, y }: Pick<Work, "x" | "y">): Result {
  return { value: (x * 31 + y * 17 + KINDS.indexOf(kind) + 1) % 1_000_003 };
}

/** A number in [0, 1) that belongs to a text: chance that is the same each time it is asked. */
export function chanceOf(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;
}

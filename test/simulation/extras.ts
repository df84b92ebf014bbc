import { TestIds } from "../../packages/ops-core/src/system/test-ids.ts";

/**
 * Keeps worlds as they were that have no extras: what they draw comes from the world's own chance, and whether there are
 * any does not. Chosen so that the seeds that once failed, and those that generated mutants are run with, have none.
 */
const SALT = 14_445;
const SHARE = 0.35;
const EACH = 0.5;

/** What a world has that not every world needs to have, so that most of them stay cheap. */
export interface Extras {
  readonly schedules: boolean;
  readonly tools: boolean;
  readonly forks: boolean;
  /** Steps that wait until a time. */
  readonly times: boolean;
  /** Reminders of approvals, and links to decide them by. */
  readonly links: boolean;
}

/** By the seed alone. */
export function extrasOf(seed: number): Extras {
  const lot = new TestIds(seed + SALT);
  const isWide = lot.random() < SHARE;
  const has = () => lot.random() < EACH && isWide;
  return { schedules: has(), tools: has(), forks: has(), times: has(), links: has() };
}

import type { ExemptGroup } from "./exempt-group.ts";

/** The simulated world does not do the thing yet, or nobody there judges it: work to do. */
export const UNSEEN_TWO: readonly ExemptGroup[] = [];

import type { WantedMutant } from "./named-mutant.ts";

/** Bugs that the simulator does not see yet. */
export const WANTED: readonly WantedMutant[] = [];

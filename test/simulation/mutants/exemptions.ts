/** A predicate whose absence the simulator cannot see, by the generated mutant's id, and why. */
export const EXEMPTIONS: ReadonlyMap<string, string> = new Map();

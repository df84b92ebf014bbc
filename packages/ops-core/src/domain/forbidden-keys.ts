/** Keys that reach an object's prototype in careless code. No JSON we accept or make has them. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

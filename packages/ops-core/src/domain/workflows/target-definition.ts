import type { Fields } from "./fields.ts";
import { TARGET_LENGTH_MAX } from "./limits.ts";
import type { StepTarget } from "./plan.ts";

export const TARGET_FIELDS = ["agentId", "agentName", "agentCapability"] as const;

/**
 * Reads who does something; null when nobody is named.
 * @param among the fields of which one at most may be there
 */
export function readTarget(fields: Fields, among: readonly string[] = TARGET_FIELDS): StepTarget | null {
  onlyOne(fields, among);
  const [agentId, agentName, capability] = TARGET_FIELDS.map((name) => fields.id(name, TARGET_LENGTH_MAX));
  if (agentId !== undefined) return { kind: "agent", agentId };
  if (agentName !== undefined) return { kind: "agentName", agentName };
  return capability === undefined ? null : { kind: "capability", capability };
}

/** Refuses a second one of some fields. */
export function onlyOne(fields: Fields, names: readonly string[]): void {
  const [first, second] = names.filter((name) => fields.value(name) !== undefined);
  if (second === undefined) return;
  fields.refuse(second, "conflict", `only one of ${names.join(", ")} may be given, and ${first} is`);
}

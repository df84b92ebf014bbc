import { OpspawnError } from "@opspawn/contract";
import { type Actor, isAdmin } from "../context.ts";
import type { Approval } from "./approval.ts";

/** Who decides, as it is kept: what the credential says, the id last, so that no name can look like another key. */
export function nameOf({ id, name }: Pick<Actor, "id" | "name">): string {
  return name === id ? id : `${name} (${id})`;
}

/**
 * Beside the scope, which every decision needs: where the step names approvers, a key of one of these names. Keys that
 * cover everything may decide everything; whoever holds one could make any other.
 * @throws OpspawnError `forbidden`
 */
export function checkMayDecide(actor: Actor, { approvers }: Pick<Approval, "approvers">): void {
  if (approvers === null || isAdmin(actor) || approvers.includes(actor.name)) return;
  throw new OpspawnError("forbidden", `Only ${namesOf(approvers)} may decide this.`);
}

/** For sentences; the first few of them. */
export function namesOf(approvers: readonly string[]): string {
  const shown = approvers.slice(0, 5).map((name) => `\`${name}\``);
  return `${shown.join(", ")}${approvers.length > shown.length ? " and others" : ""}`;
}

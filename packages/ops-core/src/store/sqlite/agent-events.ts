import type { JsonObject } from "@opspawn/contract";
import type { Tx } from "./tx.ts";

/** A fact about an agent, on the agent's own stream. */
export function agentEvent(tx: Tx, agentId: string, type: string, data: JsonObject): void {
  const row = tx.returning<{ event_sequence: number }>(
    "update agents set event_sequence = event_sequence + 1 where id = ? returning event_sequence",
    agentId,
  );
  tx.event(agentId, row?.event_sequence ?? 1, type, { agentId, ...data });
}

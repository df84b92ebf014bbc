import { type JsonValue, stringifyJson } from "@opspawn/contract";
import { readStored } from "../../domain/stored-json.ts";
import type { SessionInput } from "../../domain/workflows/advance.ts";
import type { SessionUnit } from "./session-unit.ts";
import type { Tx } from "./tx.ts";

/** Keeps the list of a step as it is now. */
export function keepItems(tx: Tx, sessionId: string, step: number, items: readonly JsonValue[]): void {
  for (const [item, value] of items.entries()) {
    tx.run(
      "insert into step_items (session_id, step, item, value) values (?, ?, ?, ?)",
      sessionId,
      step,
      item,
      stringifyJson(value),
    );
  }
}

export function itemOf(tx: Tx, sessionId: string, step: number, item: number): JsonValue {
  const row = tx.get<{ value: string }>(
    "select value from step_items where session_id = ? and step = ? and item = ?",
    sessionId,
    step,
    item,
  );
  return readStored(row?.value ?? null);
}

/** An item keeps why it failed: it may not even have come to a task, or its session's result may not be one. */
export function noteItemFailure(tx: Tx, session: SessionUnit, input: SessionInput): void {
  if (input.type !== "step_failed" || input.part === null) return;
  if (session.plan.steps[input.step]?.forEach === null || session.step(input.step).status !== "running") return;
  tx.run(
    "update step_items set error = ? where session_id = ? and step = ? and item = ?",
    JSON.stringify(input.error),
    session.id,
    input.step,
    input.part,
  );
}

/** What failed items failed of. */
export function itemErrors(tx: Tx, sessionId: string, step: number): { part: number; value: string | null }[] {
  return tx.all(
    "select item as part, error as value from step_items where session_id = ? and step = ? and error is not null",
    sessionId,
    step,
  );
}

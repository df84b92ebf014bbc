import { hash } from "node:crypto";
import { isJsonObject, type JsonValue, stringifyJson } from "@opspawn/contract";

/** The key under which an effect of a task is done, whichever attempt does it. */
export function effectKey(taskId: string, effectId: string): string {
  return `eff_${hash("sha256", JSON.stringify([taskId, effectId])).slice(0, 40)}`;
}

/** The same for payloads that say the same, in whatever order their fields were written. */
export function payloadHash(payload: JsonValue): string {
  return `sha256:${hash("sha256", stringifyJson(inOrder(payload)))}`;
}

function inOrder(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isJsonObject(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name] ?? null)]));
}

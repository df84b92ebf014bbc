import { isJsonObject, type JsonValue } from "@opspawn/contract";
import type { StoredEvent } from "@opspawn/ops-core/testing";

/** Facts of events that tell a reader something; ids are told by `placeOf`. */
const FACTS = ["agentName", "reason", "to", "name", "at", "message", "delivered", "by"] as const;

/** Events as lines: when since the beginning, where, and what. @param began microseconds since the epoch */
export function timelineOf(events: readonly StoredEvent[], began: number): string[] {
  const numbers = new Map<string, number>();
  return events.map((event) => {
    return `${sinceText(event.at - began).padEnd(10)} ${placeOf(event, numbers)} ${event.type}${factsOf(event)}`;
  });
}

/** Such as `+3.250s`, `+2m05s`, `+1d02h`: with what matters beside the rest. */
function sinceText(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  if (seconds < 60) return `+${(micros / 1_000_000).toFixed(3)}s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  if (seconds < 3_600) return `+${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  if (seconds < 86_400) return `+${Math.floor(seconds / 3_600)}h${two(Math.floor((seconds % 3_600) / 60))}m`;
  return `+${Math.floor(seconds / 86_400)}d${two(Math.floor((seconds % 86_400) / 3_600))}h`;
}

/** Sessions by number, in the order in which they appear: their ids say nothing to a reader. */
function placeOf({ stream, data, type }: StoredEvent, numbers: Map<string, number>): string {
  const isSession = type.startsWith("session.") || typeof data.stepId === "string" || numbers.has(stream);
  if (!isSession) return stream;
  const number = numbers.get(stream) ?? numbers.size + 1;
  numbers.set(stream, number);
  const step = typeof data.stepId === "string" ? `/${data.stepId}` : "";
  return `#${number}${step}`;
}

function factsOf({ data }: StoredEvent): string {
  const told: string[] = [];
  for (const fact of FACTS) {
    const value = data[fact];
    if (value !== undefined && value !== null) told.push(`${fact}=${textOf(value)}`);
  }
  if (isJsonObject(data.error)) told.push(`${textOf(data.error.code ?? "")}: ${textOf(data.error.message ?? "")}`);
  return told.length === 0 ? "" : ` ${told.join(" ")}`;
}

function textOf(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

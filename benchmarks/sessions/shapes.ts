import { setTimeout as delay } from "node:timers/promises";
import type { Answer } from "../harness/connections.ts";
import type { Agents, SeenTask } from "./agents.ts";
import type { SessionClient } from "./client.ts";
import { STEPS } from "./workload.ts";

/** What a message looks like from outside: its headers, word for word, and the length of its body. */
export interface Shape {
  /** Name, value, name, value ...; without those that Node and undici write by themselves. */
  readonly headers: readonly string[];
  readonly bytes: number;
}

/** The messages of the product that the ceiling imitates, taken from a session that really ran. */
export interface Shapes {
  /** The answer to the start of a session. */
  readonly started: Shape;
  /** The delivery of a task, by step. */
  readonly tasks: readonly Shape[];
  /** A fencing token, for its length. */
  readonly token: string;
  /** The answer to a result. */
  readonly accepted: Shape;
  /** The answer that says how the session ended. */
  readonly ended: Shape;
}

const WRITTEN_BY_ITSELF = new Set(["host", "connection", "keep-alive", "date", "content-length", "transfer-encoding"]);

/**
 * Runs one session and looks at every message.
 * @param n a session number that nobody uses
 */
export async function learnShapes(agents: Agents, client: SessionClient, n: number): Promise<Shapes> {
  const seen: SeenTask[] = [];
  agents.onTask = (task) => seen.push(task);
  const started = await client.start(n);
  const { sessionId } = JSON.parse(started.body) as { sessionId: string };
  const ended = await client.end(sessionId);
  // The last result's answer may come after the session's end.
  while (seen.length < STEPS.length) await delay(10);
  agents.onTask = null;
  const [first] = seen;
  if (first === undefined) throw new Error("a session ended without a task");
  return {
    started: answerShape(started),
    tasks: seen.map(({ rawHeaders, body }) => ({ headers: kept(rawHeaders), bytes: Buffer.byteLength(body) })),
    token: first.token,
    accepted: answerShape(first.accepted),
    ended: answerShape(ended),
  };
}

function answerShape({ headers, body }: Answer): Shape {
  const flat = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
  return { headers: kept(flat), bytes: Buffer.byteLength(body) };
}

function kept(flat: readonly string[]): string[] {
  return flat.filter((_, i) => !WRITTEN_BY_ITSELF.has((flat[i - (i % 2)] ?? "").toLowerCase()));
}

const PADDING = "x".repeat(65_536);

/** Brings a JSON object to a length, if it is not longer already. */
export function padded(object: string, bytes: number): string {
  const missing = bytes - object.length - ',"padding":""'.length;
  return missing < 0 ? object : `${object.slice(0, -1)},"padding":"${PADDING.slice(0, missing)}"}`;
}

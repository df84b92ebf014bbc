import { setTimeout as delay } from "node:timers/promises";
import type { Answer, Request } from "../harness/connections.ts";
import type { Agents, SeenTask } from "./agents.ts";
import type { Variant } from "./round.ts";
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
  /** The five requests that the server handles for a session. */
  readonly requests: readonly Request[];
}

const WRITTEN_BY_ITSELF = new Set(["host", "connection", "keep-alive", "date", "content-length", "transfer-encoding"]);

/**
 * Runs one session and looks at every message.
 * @param n a session number that nobody uses
 */
export async function learnShapes(agents: Agents, { client, origin }: Variant, n: number): Promise<Shapes> {
  const tasks: SeenTask[] = [];
  const exchanges: [Request, Answer][] = [];
  const watched = [client.connections, agents.connectionsTo(origin)];
  agents.onTask = (task) => tasks.push(task);
  for (const each of watched) each.onExchange = (...exchange) => exchanges.push(exchange);
  await client.run(n);
  // The last result's answer may come after the session's end.
  while (exchanges.length < STEPS.length + 2) await delay(10);
  agents.onTask = null;
  for (const each of watched) each.onExchange = null;
  const { opspawn } = JSON.parse(tasks[0]?.body ?? "{}") as { opspawn: { token: string } };
  return {
    started: answerTo(exchanges, ({ path }) => path.endsWith("/sessions")),
    tasks: tasks.map(({ rawHeaders, body }) => ({ headers: kept(rawHeaders), bytes: Buffer.byteLength(body) })),
    token: opspawn.token,
    accepted: answerTo(exchanges, ({ path }) => path.endsWith("/result")),
    ended: answerTo(exchanges, ({ method }) => method === "GET"),
    requests: exchanges.map(([request]) => request),
  };
}

function answerTo(exchanges: readonly [Request, Answer][], isIt: (request: Request) => boolean): Shape {
  const answer = exchanges.find(([request]) => isIt(request))?.[1];
  if (answer === undefined) throw new Error("a session ran without one of its requests");
  const [, ...lines] = answer.head.split("\r\n");
  const flat = lines.flatMap((line) => /^([^:]+): *(.*)$/.exec(line)?.slice(1) ?? []);
  return { headers: kept(flat), bytes: Buffer.byteLength(answer.body) };
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

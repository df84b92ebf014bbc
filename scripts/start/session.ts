import { drawSpans, Timeline, type TimelineLine } from "@opspawn/cli/timeline";
import type { OpspawnClient, SessionDetail } from "@opspawn/sdk";
import type { Screen } from "./screen.ts";

const COLUMNS = 80;
const COLOURS = { good: "green", bad: "red", warn: "yellow", dim: "dim", title: "bold" } as const;

export interface Following {
  readonly client: OpspawnClient;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Shows a session's events as they happen, until it ends. Undefined when the signal aborted first. */
export async function followSession(sessionId: string, following: Following): Promise<SessionDetail | undefined> {
  const { client, screen, signal } = following;
  const timeline = new Timeline(COLUMNS);
  // A server that restarts is waited for: the events go on where they stopped.
  for await (const event of client.events.follow({ session: sessionId, signal, patience: "2m" })) {
    const line = timeline.tell(event);
    if (line !== null) screen.line(painted(screen, line));
  }
  if (timeline.status === null) return undefined;
  screen.line();
  for (const line of drawSpans(timeline.spans, timeline.elapsed, COLUMNS)) screen.line(screen.paint("dim", line));
  return client.sessions.waitFor(sessionId, { signal });
}

function painted(screen: Screen, { tone, text }: TimelineLine): string {
  return tone === undefined ? text : screen.paint(COLOURS[tone], text);
}

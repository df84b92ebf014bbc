import type { OpspawnClient, SessionDetail } from "@opspawn/sdk";
import type { Screen } from "./screen.ts";
import { drawSpans, Timeline } from "./timeline.ts";

export interface Following {
  readonly client: OpspawnClient;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Shows a session's events as they happen, until it ends. Undefined when the signal aborted first. */
export async function followSession(sessionId: string, following: Following): Promise<SessionDetail | undefined> {
  const { client, screen, signal } = following;
  const timeline = new Timeline();
  // A server that restarts is waited for: the events go on where they stopped.
  for await (const event of client.events.follow({ stream: sessionId, signal, patience: "2m" })) {
    const line = timeline.tell(event);
    if (line !== null) screen.line(screen.paint(line.tone, line.text));
    if (timeline.status !== null) break;
  }
  if (timeline.status === null) return undefined;
  screen.line();
  for (const line of drawSpans(timeline.spans, timeline.elapsed)) screen.line(screen.paint("dim", line));
  return client.sessions.waitFor(sessionId, { signal });
}

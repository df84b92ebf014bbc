import type { Store, StoredEvent } from "../../domain/store.ts";

const PAGE = 200;

/** What events say a session, task or attempt has become. */
const FOLD: Readonly<Record<string, { noun: "session" | "task" | "attempt"; status: string }>> = {
  "session.started": { noun: "session", status: "started" },
  "session.running": { noun: "session", status: "running" },
  "session.waiting": { noun: "session", status: "waiting" },
  "session.resumed": { noun: "session", status: "running" },
  "session.completed": { noun: "session", status: "completed" },
  "session.failed": { noun: "session", status: "failed" },
  "session.cancelled": { noun: "session", status: "cancelled" },
  "task.created": { noun: "task", status: "pending" },
  "task.retrying": { noun: "task", status: "pending" },
  "task.fell_back": { noun: "task", status: "pending" },
  "task.completed": { noun: "task", status: "completed" },
  "task.failed": { noun: "task", status: "failed" },
  "task.cancelled": { noun: "task", status: "cancelled" },
  "attempt.created": { noun: "attempt", status: "created" },
  "attempt.resent": { noun: "attempt", status: "created" },
  "attempt.interrupted": { noun: "attempt", status: "dispatched" },
  "attempt.acknowledged": { noun: "attempt", status: "acknowledged" },
  "attempt.succeeded": { noun: "attempt", status: "succeeded" },
  "attempt.failed": { noun: "attempt", status: "failed" },
  "attempt.timed_out": { noun: "attempt", status: "timed_out" },
  "attempt.lost": { noun: "attempt", status: "lost" },
  "attempt.cancelled": { noun: "attempt", status: "cancelled" },
};

const ENDED = new Set(["completed", "failed", "cancelled", "succeeded", "timed_out", "lost"]);

/**
 * Reads the whole log: numbers without gaps, one terminal event for each thing and nothing but annotations after it, and
 * statuses that are those of the rows.
 */
export async function verifyHistory(store: Store): Promise<string[]> {
  const events = await allEvents(store);
  const problems = [...numbering(events), ...(await streams(store, events))];
  const statuses = new Map<string, string>();
  for (const event of events) {
    const step = FOLD[event.type];
    if (step === undefined) continue;
    const name = nameOf(step.noun, event);
    const before = statuses.get(name);
    if (before !== undefined && ENDED.has(before)) problems.push(`${event.type} of ${name} after it was ${before}`);
    statuses.set(name, step.status);
    if (event.type === "attempt.created") statuses.set(nameOf("task", event), "running");
  }
  for (const [name, status] of statuses) {
    const stored = await statusOf(store, name);
    if (stored !== status) problems.push(`${name} is ${stored}, its events say ${status}`);
  }
  return problems;
}

async function allEvents(store: Store): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await store.events.list(events.at(-1)?.position ?? 0, PAGE);
    events.push(...page);
    if (page.length < PAGE) return events;
  }
}

function numbering(events: readonly StoredEvent[]): string[] {
  const next = new Map<string, number>();
  return events.flatMap((event, index) => {
    const sequence = (next.get(event.stream) ?? 0) + 1;
    next.set(event.stream, sequence);
    if (event.position === index + 1 && event.sequence === sequence) return [];
    return [`event ${event.position} of ${event.stream} has sequence ${event.sequence}, expected ${sequence}`];
  });
}

/** Each stream, read by itself and from its middle, holds the events that the whole log has of it. */
async function streams(store: Store, events: readonly StoredEvent[]): Promise<string[]> {
  const problems: string[] = [];
  for (const [stream, whole] of Map.groupBy(events, (event) => event.stream)) {
    const after = Math.floor(whole.length / 2);
    const own = await store.events.list(after, whole.length + 1, stream);
    if (JSON.stringify(own) !== JSON.stringify(whole.slice(after))) problems.push(`stream ${stream} is not its events`);
  }
  return problems;
}

function nameOf(noun: "session" | "task" | "attempt", { stream, data }: StoredEvent): string {
  if (noun === "session") return `session ${stream}`;
  return noun === "task" ? `task ${String(data.taskId)}` : `attempt ${String(data.taskId)} ${String(data.number)}`;
}

async function statusOf(store: Store, name: string): Promise<string | undefined> {
  const [noun, id = "", number] = name.split(" ");
  if (noun === "session") return (await store.sessions.get(id))?.status;
  if (noun === "task") return (await store.tasks.get(id))?.status;
  return (await store.tasks.attempts(id)).find((attempt) => attempt.number === Number(number))?.status;
}

import type { Store, StoredEvent } from "../../domain/store.ts";

const PAGE = 200;

type Noun = "session" | "step" | "approval" | "task" | "attempt";

/** What events say a session, step, approval, task or attempt has become. */
const FOLD: Readonly<Record<string, { noun: Noun; status: string }>> = {
  "session.started": { noun: "session", status: "started" },
  "session.running": { noun: "session", status: "running" },
  "session.waiting": { noun: "session", status: "waiting" },
  "session.resumed": { noun: "session", status: "running" },
  "session.paused": { noun: "session", status: "paused" },
  "session.completed": { noun: "session", status: "completed" },
  "session.failed": { noun: "session", status: "failed" },
  "session.cancelled": { noun: "session", status: "cancelled" },
  "step.started": { noun: "step", status: "running" },
  "step.waiting": { noun: "step", status: "waiting" },
  "step.completed": { noun: "step", status: "completed" },
  "step.failed": { noun: "step", status: "failed" },
  "step.skipped": { noun: "step", status: "skipped" },
  "step.cancelled": { noun: "step", status: "cancelled" },
  // Its data say how it ended elsewhere.
  "step.taken_over": { noun: "step", status: "completed" },
  "step.compensated": { noun: "step", status: "compensated" },
  "step.uncertain": { noun: "step", status: "uncertain" },
  "approval.requested": { noun: "approval", status: "pending" },
  "approval.approved": { noun: "approval", status: "approved" },
  "approval.rejected": { noun: "approval", status: "rejected" },
  "approval.expired": { noun: "approval", status: "expired" },
  "approval.cancelled": { noun: "approval", status: "cancelled" },
  "task.created": { noun: "task", status: "pending" },
  "task.retrying": { noun: "task", status: "pending" },
  "task.uncertain": { noun: "task", status: "pending" },
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

const ENDED = new Set(
  "completed failed cancelled succeeded timed_out lost skipped compensated uncertain approved rejected expired".split(
    " ",
  ),
);
/** What has ended may be undone, once; also what nobody knows about. */
const UNDONE = new Set(["compensated", "uncertain"]);

/**
 * Reads the whole log: numbers without gaps, one terminal event for each thing and nothing but annotations after it, and
 * statuses that are those of the rows.
 */
export async function verifyHistory(store: Store): Promise<string[]> {
  const events = await allEvents(store);
  const problems = [...numbering(events), ...(await streams(store, events))];
  const statuses = new Map<string, string>();
  for (const event of events) {
    const fact = FOLD[event.type];
    if (fact === undefined) continue;
    const name = nameOf(fact.noun, event);
    const before = statuses.get(name);
    if (before !== undefined && ENDED.has(before) && !isUndone(before, fact.status)) {
      problems.push(`${event.type} of ${name} after it was ${before}`);
    }
    statuses.set(name, statusIn(event, fact.status));
    if (event.type === "attempt.created") statuses.set(nameOf("task", event), "running");
  }
  for (const [name, status] of statuses) {
    if (name.startsWith("step ")) continue;
    const stored = await statusOf(store, name);
    if (stored !== status) problems.push(`${name} is ${stored}, its events say ${status}`);
  }
  return [...problems, ...(await steps(store, events, statuses))];
}

function isUndone(before: string, status: string): boolean {
  return UNDONE.has(status) && before !== status && before !== "compensated";
}

/** A step that was taken over ended elsewhere, and its event says how. */
function statusIn({ type, data }: StoredEvent, usual: string): string {
  return type === "step.taken_over" ? String(data.status) : usual;
}

/** Each step is as its own events say; one that has none is as its task is. */
async function steps(store: Store, events: readonly StoredEvent[], statuses: Map<string, string>): Promise<string[]> {
  const told = new Map<string, string | undefined>();
  for (const event of events) {
    const { type, data } = event;
    const isStep =
      type === "task.created" && typeof data.stepId === "string" && data.part === undefined && data.undoes !== true;
    if (isStep) told.set(nameOf("step", event), asStep(statuses.get(nameOf("task", event))));
  }
  for (const [name, status] of statuses) if (name.startsWith("step ")) told.set(name, status);
  const sessions = new Set([...told.keys()].map((name) => name.split(" ")[1] ?? ""));
  const problems: string[] = [];
  for (const session of sessions) {
    for (const [name, status] of await stepRows(store, session)) {
      if (status !== "pending" && told.get(name) !== status)
        problems.push(`${name} is ${status}, not ${told.get(name)}`);
      told.delete(name);
    }
  }
  return [...problems, ...[...told.keys()].map((name) => `${name} has events and no row`)];
}

/** A task that waits is a step that runs. */
function asStep(task: string | undefined): string | undefined {
  return task === "pending" ? "running" : task;
}

async function stepRows(store: Store, sessionId: string): Promise<[name: string, status: string][]> {
  const session = await store.sessions.get(sessionId);
  const text = await store.workflows.definition(session?.planHash ?? "");
  const { tasks } = JSON.parse(text ?? '{"tasks":[]}') as { tasks: { taskId: string }[] };
  const rows = await store.sessions.steps(sessionId);
  return rows.map(({ index, status }) => [`step ${sessionId} ${tasks[index]?.taskId}`, status]);
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

function nameOf(noun: Noun, { stream, data }: StoredEvent): string {
  switch (noun) {
    case "session":
      return `session ${stream}`;
    case "step":
      return `step ${stream} ${String(data.stepId)}`;
    case "approval":
      return `approval ${String(data.approvalId)}`;
    case "task":
      return `task ${String(data.taskId)}`;
    case "attempt":
      return `attempt ${String(data.taskId)} ${String(data.number)}`;
  }
}

async function statusOf(store: Store, name: string): Promise<string | undefined> {
  const [noun, id = "", number] = name.split(" ");
  if (noun === "session") return (await store.sessions.get(id))?.status;
  if (noun === "approval") return (await store.approvals.get(id))?.status;
  if (noun === "task") return (await store.tasks.get(id))?.status;
  return (await store.tasks.attempts(id)).find((attempt) => attempt.number === Number(number))?.status;
}

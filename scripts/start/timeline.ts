import { type EventView, isJsonObject, type JsonObject, type JsonValue, parseTime } from "@opspawn/contract";
import { cut, duration, plain } from "./screen.ts";

/** A line of the timeline. */
export interface TimelineLine {
  readonly tone: "dim" | "green" | "red" | "yellow" | "cyan";
  readonly text: string;
}

/** When a step was worked on; times are microseconds since the session began. */
export interface StepSpan {
  readonly step: string;
  readonly from: number;
  readonly until: number;
  readonly attempts: number;
}

const WIDTH = 80;
const TIME_WIDTH = 10;
const STEP_WIDTH = 12;

interface Task {
  readonly step: string;
  /** Of the attempt under way, or the last one. */
  agent: string;
  attempt: number;
  attemptBegan: number;
  from: number | null;
  until: number | null;
}

/** `began` is when the session did, in microseconds since the epoch. */
type Teller = (
  data: JsonObject,
  task: Task,
  time: { readonly at: number; readonly began: number },
) => [tone: TimelineLine["tone"], text: string] | null;

/** What each event is to a reader; events that are not here say nothing that another does not. */
const TELLERS: Readonly<Record<string, Teller>> = {
  "attempt.created": (_, { attempt, agent }) => [
    "cyan",
    `${attempt > 1 ? `attempt ${attempt}` : "started"} on ${agent}`,
  ],
  "attempt.acknowledged": (_, { agent }) => ["dim", `taken by ${agent}, which will report`],
  "attempt.interrupted": (data, { agent }) => ["yellow", `${agent} was cut off: ${text(data.message)}`],
  "attempt.resent": (_, { agent }) => ["yellow", `sent again to ${agent}, same attempt`],
  "attempt.succeeded": (_, { agent, attemptBegan }, { at }) => [
    "green",
    `done by ${agent} in ${duration(at - attemptBegan)}`,
  ],
  "attempt.failed": (data, { agent }) => ["red", `failed on ${agent}: ${errorIn(data)}`],
  "attempt.timed_out": (_, { agent }) => ["red", `${agent} did not finish in time`],
  "attempt.lost": (data, { agent }) => ["yellow", `lost with ${agent}: ${errorIn(data)}`],
  "attempt.cancelled": () => ["yellow", "cancelled"],
  "task.retrying": (data, _, time) => ["yellow", retryIn(data, time)],
  "task.fell_back": () => ["yellow", "falls back to another agent"],
  "task.failed": (data) => ["red", `failed for good: ${errorIn(data)}`],
};

/** Turns the events of one session into lines, and keeps when each step was worked on. */
export class Timeline {
  readonly #tasks = new Map<string, Task>();
  #began: number | null = null;
  #status: string | null = null;
  #last = 0;

  /** `completed`, `failed` or `cancelled` once the session has ended. */
  get status(): string | null {
    return this.#status;
  }

  /** Microseconds from its first event to its last. */
  get elapsed(): number {
    return this.#last;
  }

  get spans(): readonly StepSpan[] {
    return [...this.#tasks.values()].flatMap(({ step, from, until, attempt }) =>
      from === null ? [] : [{ step, from, until: until ?? this.#last, attempts: attempt }],
    );
  }

  /** Takes the next event; null when there is nothing to show. */
  tell(event: EventView): TimelineLine | null {
    const time = parseTime(event.at) ?? 0;
    this.#began ??= time;
    const at = time - this.#began;
    this.#last = at;
    const [noun, word = ""] = event.type.split(".");
    if (noun === "session") return this.#tellSession(word, event.data, at);
    if (event.type === "step.skipped") return line(at, text(event.data.stepId), "dim", "skipped");
    const task = this.#note(event.type, event.data, at);
    const told = TELLERS[event.type]?.(event.data, task, { at, began: this.#began });
    return told == null ? null : line(at, task.step, ...told);
  }

  #tellSession(word: string, data: JsonObject, at: number): TimelineLine | null {
    if (!["completed", "failed", "cancelled"].includes(word)) return null;
    this.#status = word;
    if (word === "completed") return line(at, "", "green", "the session is completed");
    return line(at, "", "red", `the session ${word === "failed" ? `failed: ${errorIn(data)}` : "was cancelled"}`);
  }

  /** Keeps what later events only refer to. */
  #note(type: string, data: JsonObject, at: number): Task {
    const id = text(data.taskId);
    const fresh: Task = {
      step: text(data.stepId) || id,
      agent: "?",
      attempt: 0,
      attemptBegan: at,
      from: null,
      until: null,
    };
    const task = this.#tasks.get(id) ?? fresh;
    this.#tasks.set(id, task);
    if (type === "attempt.created") {
      task.agent = plain(text(data.agentName) || text(data.agentId));
      task.attempt = typeof data.number === "number" ? data.number : task.attempt + 1;
      task.attemptBegan = at;
      task.from ??= at;
    }
    if (/^(?:task\.(?:completed|failed|cancelled)|attempt\.succeeded)$/.test(type)) task.until ??= at;
    return task;
  }
}

/** The steps as bars over time, so that one sees what ran side by side. */
export function drawSpans(spans: readonly StepSpan[], elapsed: number): string[] {
  const labels = spans.map(({ from, until }) => duration(until - from).padStart(9));
  // Beside the blanks between the columns: the duration, and how many tries it took.
  const room = WIDTH - TIME_WIDTH - STEP_WIDTH - 4 - 9 - "  9 tries".length;
  const column = (time: number): number => Math.round((time / Math.max(1, elapsed)) * room);
  return spans.map(({ step, from, until, attempts }, i) => {
    const start = Math.min(room - 1, column(from));
    const bar = `${" ".repeat(start)}${"█".repeat(Math.max(1, column(until) - start))}`;
    const tries = attempts > 1 ? `  ${attempts} tries` : "";
    return `${" ".repeat(TIME_WIDTH)}  ${cut(plain(step), STEP_WIDTH).padEnd(STEP_WIDTH)} ${bar.padEnd(room)} ${labels[i]}${tries}`;
  });
}

function line(at: number, step: string, tone: TimelineLine["tone"], what: string): TimelineLine {
  const time = `${(at / 1_000_000).toFixed(2)} s`.padStart(TIME_WIDTH);
  const subject = cut(plain(step), STEP_WIDTH).padEnd(STEP_WIDTH);
  return { tone, text: cut(`${time}  ${subject} ${plain(what)}`, WIDTH).trimEnd() };
}

function errorIn(data: JsonObject): string {
  const { error } = data;
  if (!isJsonObject(error)) return text(error) || "no reason given";
  return text(error.message) || text(error.code) || "no reason given";
}

function retryIn({ readyAt, used, max }: JsonObject, { at, began }: { at: number; began: number }): string {
  const wait = typeof readyAt === "number" ? readyAt - began - at : 0;
  const when = wait > 0 ? `in ${duration(wait)}` : "at once";
  return `again ${when}${typeof used === "number" && typeof max === "number" ? `, ${used} of ${max} tries used` : ""}`;
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

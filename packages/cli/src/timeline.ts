import { type EventView, isJsonObject, type JsonObject, type JsonValue, parseTime } from "@opspawn/contract";
import type { Tone } from "./output/style.ts";
import { padEnd, plain, truncate } from "./output/text.ts";
import { duration } from "./output/time.ts";
import { tellStep } from "./timeline-steps.ts";

/** A line of the timeline. */
export interface TimelineLine {
  readonly tone: Tone | undefined;
  readonly text: string;
}

/** When a step was worked on; times are microseconds since the session began. */
export interface StepSpan {
  readonly step: string;
  readonly from: number;
  readonly until: number;
  readonly attempts: number;
}

const TIME_WIDTH = 10;
const STEP_WIDTH = 12;
const BARS_AT_MOST = 120;

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
    undefined,
    `${attempt > 1 ? `attempt ${attempt}` : "started"} on ${agent}`,
  ],
  "attempt.acknowledged": (_, { agent }) => ["dim", `taken by ${agent}, which will report`],
  "attempt.interrupted": (data, { agent }) => ["warn", `${agent} was cut off: ${text(data.message)}`],
  "attempt.resent": (_, { agent }) => ["warn", `sent again to ${agent}, same attempt`],
  "attempt.succeeded": (_, { agent, attemptBegan }, { at }) => [
    "good",
    `done by ${agent} in ${duration(at - attemptBegan)}`,
  ],
  "attempt.failed": (data, { agent }) => ["bad", `failed on ${agent}: ${errorIn(data)}`],
  "attempt.timed_out": (data, { agent }) => [
    "bad",
    codeIn(data) === "silent" ? `${agent} made no progress for too long` : `${agent} did not finish in time`,
  ],
  "attempt.progress": (data, { agent }) => ["dim", `${agent} is at ${progressIn(data)}`],
  "attempt.suspect": (_, { agent }) => ["warn", `${agent} makes no progress`],
  "attempt.recovered": (_, { agent }) => [undefined, `${agent} gets on again`],
  "attempt.late_progress": (_, { agent }) => ["warn", `${agent} is still at an attempt that has ended`],
  "attempt.lost": (data, { agent }) => ["warn", `lost with ${agent}: ${errorIn(data)}`],
  "attempt.cancelled": () => ["warn", "cancelled"],
  "attempt.ambiguous_report": (data, { agent }) => [
    "warn",
    `${agent} said something that settles nothing: ${rest(data)}`,
  ],
  "attempt.late_result": (_, { agent }) => [
    "warn",
    `${agent} was too late with a result; it is kept, and changes nothing`,
  ],
  "task.cancelled": () => ["warn", "cancelled"],
  "cancellation.delivered": (_, { agent }) => ["dim", `${agent} was told to stop`],
  "cancellation.acknowledged": (_, { agent }) => ["dim", `${agent} says that it stops`],
  "cancellation.stopped": (_, { agent }) => ["good", `${agent} has stopped`],
  "cancellation.finished": (_, { agent }) => ["warn", `${agent} did it nonetheless; its result is refused`],
  "cancellation.refused": (data, { agent }) => ["bad", `${agent} will not stop${noteIn(data)}`],
  "cancellation.unreachable": (data, { agent }) => ["bad", `nobody knows whether ${agent} has stopped${noteIn(data)}`],
  "task.retrying": (data, _, time) => ["warn", retryIn(data, time)],
  "task.fell_back": (data) => ["warn", `falls back to ${targetIn(data)}`],
  "task.failed": (data) => [
    "bad",
    `failed for good${typeof data.deadLetter === "string" ? ", a dead letter" : ""}: ${errorIn(data)}`,
  ],
};

/** Turns the events of one session into lines, and keeps when each step was worked on. */
export class Timeline {
  readonly #columns: number;
  readonly #tasks = new Map<string, Task>();
  #began: number | null = null;
  #status: string | null = null;
  #last = 0;

  /** @param columns the width of a line */
  constructor(columns: number) {
    this.#columns = columns;
  }

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
    const step = tellStep(event.type, event.data);
    if (step !== undefined) return step.told && this.#line(at, step.step, ...step.told);
    const [noun, word = ""] = event.type.split(".");
    if (noun === "session") return this.#tellSession(word, event.data, at);
    const task = this.#note(event.type, event.data, at);
    const told = TELLERS[event.type]?.(event.data, task, { at, began: this.#began });
    return told == null ? null : this.#line(at, task.step, ...told);
  }

  #tellSession(word: string, data: JsonObject, at: number): TimelineLine | null {
    if (word === "started") return this.#line(at, "", "dim", "the session is accepted");
    if (!["completed", "failed", "cancelled"].includes(word)) return null;
    this.#status = word;
    if (word === "completed") return this.#line(at, "", "good", "the session is completed");
    const what = word === "failed" ? "the session failed" : "the session was cancelled";
    return this.#line(at, "", "bad", isJsonObject(data.error) ? `${what}: ${errorIn(data)}` : what);
  }

  #line(at: number, step: string, tone: TimelineLine["tone"], what: string): TimelineLine {
    const time = `${(at / 1_000_000).toFixed(2)} s`.padStart(TIME_WIDTH);
    const subject = padEnd(truncate(plain(step), STEP_WIDTH), STEP_WIDTH);
    return { tone, text: truncate(`${time}  ${subject} ${plain(what)}`, this.#columns).trimEnd() };
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
      task.agent = plain(text(data.agentName) || text(data.agentId) || text(data.tool));
      task.attempt = typeof data.number === "number" ? data.number : task.attempt + 1;
      task.attemptBegan = at;
      task.from ??= at;
    }
    if (/^(?:task\.(?:completed|failed|cancelled)|attempt\.succeeded)$/.test(type)) task.until ??= at;
    return task;
  }
}

/** The steps as bars over time, so that one sees what ran side by side. */
export function drawSpans(spans: readonly StepSpan[], elapsed: number, columns: number): string[] {
  const labels = spans.map(({ from, until }) => duration(until - from).padStart(9));
  // Beside the blanks between the columns: the duration, and how many tries it took.
  const room = Math.max(10, Math.min(columns, BARS_AT_MOST) - TIME_WIDTH - STEP_WIDTH - 4 - 9 - "  9 tries".length);
  const column = (time: number): number => Math.round((time / Math.max(1, elapsed)) * room);
  return spans.map(({ step, from, until, attempts }, i) => {
    const start = Math.min(room - 1, column(from));
    const bar = `${" ".repeat(start)}${"█".repeat(Math.max(1, column(until) - start))}`;
    const tries = attempts > 1 ? `  ${attempts} tries` : "";
    return `${" ".repeat(TIME_WIDTH)}  ${padEnd(truncate(plain(step), STEP_WIDTH), STEP_WIDTH)} ${bar.padEnd(room)} ${labels[i]}${tries}`;
  });
}

function errorIn(data: JsonObject): string {
  const { error } = data;
  if (!isJsonObject(error)) return text(error) || "no reason given";
  return text(error.message) || text(error.code) || "no reason given";
}

function noteIn({ note }: JsonObject): string {
  return typeof note === "string" ? `: ${note}` : "";
}

function codeIn({ error }: JsonObject): string {
  return isJsonObject(error) ? text(error.code) : "";
}

function progressIn({ counter, note }: JsonObject): string {
  return [typeof counter === "number" ? String(counter) : "", text(note)].filter((each) => each !== "").join(": ");
}

function targetIn({ to }: JsonObject): string {
  if (!isJsonObject(to)) return "another agent";
  if (to.kind === "capability") return `an agent with \`${text(to.capability)}\``;
  return to.kind === "agentName" ? `\`${text(to.agentName)}\`` : `agent ${text(to.agentId)}`;
}

function rest({ open, messages }: JsonObject): string {
  return `${open} attempts and ${messages} messages are open there`;
}

function retryIn({ readyAt, used, max }: JsonObject, { at, began }: { at: number; began: number }): string {
  const ready = typeof readyAt === "number" ? readyAt : parseTime(text(readyAt));
  const wait = ready === null ? 0 : ready - began - at;
  const when = wait > 0 ? `in ${duration(wait)}` : "at once";
  return `again ${when}${typeof used === "number" && typeof max === "number" ? `, ${used} of ${max} tries used` : ""}`;
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

import { parseTime } from "@opspawn/contract";
import { cancellationTable } from "../../packages/ops-core/src/domain/cancellations/transitions.ts";
import { deliveryTable } from "../../packages/ops-core/src/domain/deliveries/transitions.ts";
import { sessionTable } from "../../packages/ops-core/src/domain/sessions/transitions.ts";
import { attemptTable, taskTable } from "../../packages/ops-core/src/domain/tasks/transitions.ts";
import type { Fact, History } from "./history.ts";
import { isOfSteps } from "./step-fold.ts";

interface Table {
  readonly noun: string;
  readonly states: readonly string[];
  readonly initial: readonly string[];
  readonly transitions: Readonly<Record<string, { readonly from: readonly string[]; readonly to: string }>>;
}

/** What an event of the stream does to a thing; `begin` makes it. */
type Meaning = Readonly<Record<string, string>>;

const SESSION: Meaning = {
  "session.started": "begin",
  "session.running": "run",
  "session.waiting": "wait",
  "session.paused": "pause",
  "session.resumed": "resume",
  "session.completed": "complete",
  "session.failed": "fail",
  "session.cancelled": "cancel",
};
const TASK: Meaning = {
  "task.created": "begin",
  "attempt.created": "claim",
  "task.completed": "complete",
  "task.affirmed": "affirm",
  "task.retrying": "retry",
  "task.fell_back": "retry",
  "task.uncertain": "doubt",
  "task.failed": "fail",
  "task.cancelled": "cancel",
};
const ATTEMPT: Meaning = {
  "attempt.created": "begin",
  "attempt.interrupted": "dispatch",
  "attempt.resent": "resend",
  "attempt.acknowledged": "acknowledge",
  "attempt.succeeded": "succeed",
  "attempt.failed": "fail",
  "attempt.timed_out": "time_out",
  "attempt.lost": "lose",
  "attempt.cancelled": "cancel",
};
const CANCELLATION: Meaning = {
  "cancellation.requested": "begin",
  "cancellation.delivered": "deliver",
  "cancellation.acknowledged": "acknowledge",
  "cancellation.stopped": "stop",
  "cancellation.finished": "finish",
  "cancellation.refused": "refuse",
  "cancellation.unreachable": "give_up",
};
/** Facts that change no state: they may come at any time, after the end too. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  "attempt.late_result",
  "attempt.progress",
  "attempt.suspect",
  "attempt.recovered",
  "attempt.late_progress",
  "attempt.ambiguous_report",
  "session.labelled",
  "task.redriven",
  "task.settled",
  "effect.intended",
  "effect.receipt",
  "effect.contradicted",
]);

/** Whether a session's end is no end of it: facts, and the words of agents that are still at its work. */
export function mayComeLater(type: string): boolean {
  return ANNOTATIONS.has(type) || type in CANCELLATION;
}

export interface Folded {
  readonly noun: string;
  readonly id: string;
  readonly state: string;
  /** Of the event that ended it; null while it is open. */
  readonly endedBy: string | null;
}

export interface Fold {
  readonly things: ReadonlyMap<string, Folded>;
  /** Events that no table allows where they stand. */
  readonly illegal: readonly string[];
  /** Events after an end that are more than annotations. */
  readonly afterEnd: readonly string[];
  /** Attempts made before the time their retry was given. */
  readonly early: readonly string[];
}

const folds = new WeakMap<History, Fold>();

/** Plays all events of sessions, tasks and attempts through the tables that the product itself is built on. */
export function fold(history: History): Fold {
  const known = folds.get(history);
  if (known !== undefined) return known;
  const folder = new Folder();
  for (const facts of history.streams.values()) for (const fact of facts) folder.take(fact);
  folds.set(history, folder);
  return folder;
}

class Folder implements Fold {
  readonly things = new Map<string, Folded>();
  readonly illegal: string[] = [];
  readonly afterEnd: string[] = [];
  readonly early: string[] = [];
  readonly #readyAt = new Map<string, number>();

  take(fact: Fact): void {
    const { type, data, stream } = fact;
    if (type.startsWith("agent.") || type.startsWith("schedule.") || ANNOTATIONS.has(type) || isOfSteps(type)) return;
    const meant = [
      ...this.#apply(sessionTable, SESSION, stream, fact),
      ...this.#apply(taskTable, TASK, String(data.taskId), fact),
      ...this.#apply(attemptTable, ATTEMPT, `${data.taskId}/${data.number}`, fact),
      ...this.#apply(cancellationTable, CANCELLATION, String(data.cancellationId), fact),
    ];
    if (type === "attempt.created" && this.things.get(`session ${stream}`)?.state === "paused") {
      this.illegal.push(`${type} on ${stream}/${fact.sequence}: its session is paused`);
    }
    if (meant.length === 0) this.illegal.push(`${type} on ${stream}/${fact.sequence} has no meaning`);
    this.#time(fact);
  }

  *#apply(table: Table, meaning: Meaning, id: string, { type, stream, sequence, data }: Fact): Iterable<true> {
    // Who settles a doubt may say that the task is done.
    const event = type === "task.completed" && data.by !== undefined ? meaning["task.affirmed"] : meaning[type];
    if (event === undefined) return;
    yield true;
    const key = `${table.noun} ${id}`;
    const before = this.things.get(key);
    const where = `${type} on ${stream}/${sequence}`;
    if (event === "begin") {
      if (before !== undefined) this.illegal.push(`${where}: ${key} exists already`);
      this.things.set(key, { noun: table.noun, id, state: table.initial[0] ?? "", endedBy: null });
      return;
    }
    if (before === undefined) {
      this.illegal.push(`${where}: there is no ${key}`);
      return;
    }
    // Work that nobody is left for may fall back while it waits: it waits on, elsewhere.
    if (type === "task.fell_back" && before.state === "pending") return;
    const transition = table.transitions[event];
    if (before.endedBy !== null) this.afterEnd.push(`${where}: ${key} had ended by ${before.endedBy}`);
    else if (!transition?.from.includes(before.state)) this.illegal.push(`${where}: ${key} was ${before.state}`);
    const state = transition?.to ?? before.state;
    this.things.set(key, { ...before, state, endedBy: isTerminal(table, state) ? type : null });
  }

  #time({ type, data, at }: Fact): void {
    const taskId = String(data.taskId);
    if (type === "task.retrying")
      this.#readyAt.set(taskId, parseTime(String(data.readyAt)) ?? Number.POSITIVE_INFINITY);
    // A fallback begins at once, whatever was being waited for.
    if (type === "task.fell_back") this.#readyAt.delete(taskId);
    if (type !== "attempt.created") return;
    const readyAt = this.#readyAt.get(taskId) ?? 0;
    if (at < readyAt) this.early.push(`attempt ${data.number} of ${taskId} came ${readyAt - at} us before its time`);
  }
}

function isTerminal({ transitions }: Table, state: string): boolean {
  return !Object.values(transitions).some(({ from }) => from.includes(state));
}

/** The states in which a delivery has ended. */
export const ENDED_DELIVERY = deliveryTable.states.filter((state) => isTerminal(deliveryTable, state));

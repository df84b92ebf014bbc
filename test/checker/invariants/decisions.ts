import { parseTime } from "@opspawn/contract";
import type { RetryPolicy, RetryReason } from "../../../packages/ops-core/src/domain/workflows/plan.ts";
import type { Evidence, Rows } from "../evidence.ts";
import type { Fact } from "../history.ts";
import type { Invariant } from "../invariant.ts";
import { Registry } from "../registry.ts";

const SECOND = 1_000_000;
/** Tries that never left and together count as one. */
const UNDELIVERED_PER_ATTEMPT = 5;
const UNDELIVERED_FIRST = SECOND / 4;
const UNDELIVERED_MAX = 30 * SECOND;
/** Codes under which an agent may say itself how long to wait. */
const ASKED_TO_WAIT = new Set(["http_429", "http_503"]);

/** How an attempt ended, as far as the log tells. */
interface Failure {
  readonly number: number;
  readonly reason: RetryReason | "undelivered" | "rejected";
  readonly code: string;
  readonly probe: boolean;
}

interface Retry {
  readonly type: "retry";
  readonly used: number;
  readonly least: number;
  readonly most: number;
}

/** What is to follow: the attempts used up afterwards, and how long to wait. */
type Right =
  | Retry
  | { readonly type: "fall_back"; readonly used: number }
  | { readonly type: "fail"; readonly used: number; readonly deadLetter: "attempts" | null };

interface Policy {
  readonly retry: RetryPolicy;
  readonly fallback: object | null;
  readonly onUncertain?: string;
}

interface TaskRow {
  readonly id: string;
  readonly policy: string;
  readonly deadline: number;
}

/** One task on its way, by what the log says of it. */
class Course {
  readonly #id: string;
  readonly #retry: RetryPolicy;
  readonly #deadline: number;
  readonly #hasFallback: boolean;
  #max: number;
  #used = 0;
  #lost = 0;
  #undelivered = 0;
  #fellBack = false;
  #failure: Failure | null = null;
  #lane = "";
  /** Effects that it announced and that have no receipt. */
  readonly #open = new Set<string>();
  /** What became of its doubt; `open` while nothing did, null without one. */
  #doubt: string | null = null;
  readonly #onUncertain: string | undefined;
  readonly #registry: Registry;

  constructor({ id, policy, deadline }: TaskRow, registry: Registry) {
    this.#registry = registry;
    const { retry, fallback, onUncertain } = JSON.parse(policy) as Policy;
    this.#onUncertain = onUncertain;
    this.#id = id;
    this.#retry = retry;
    this.#deadline = deadline;
    this.#hasFallback = fallback !== null;
    this.#max = retry.maxAttempts;
  }

  /** What is wrong with it. @param probe the attempt that it is about was the probe of an open circuit */
  *take(fact: Fact, probe: boolean): Iterable<string> {
    const { type, data } = fact;
    const reason = reasonOf(fact);
    if (reason !== null) this.#failure = { number: Number(data.number), reason, code: codeOf(data), probe };
    if (type === "task.created") this.#lane = String(data.lane);
    yield* this.#noteEffects(fact);
    if (type === "task.retrying" || type === "task.fell_back" || type === "task.failed") yield* this.#decided(fact);
    if (type === "task.fell_back") this.#lane = laneOf(data.to as { kind: string });
  }

  *#noteEffects({ type, data }: Fact): Iterable<string> {
    if (type === "effect.intended") this.#open.add(String(data.effectId));
    // What a doubt was about stays open for those who decide about the attempt that had announced it.
    if (type === "effect.receipt" && this.#doubt === null) this.#open.delete(String(data.effectId));
    if (type === "task.settled") this.#doubt = String(data.answer);
    if (type !== "task.uncertain") return;
    this.#doubt = "open";
    if (this.#failure === null || this.#open.size === 0) yield `${this.#id} is in doubt without a cause`;
    if (this.#onUncertain === undefined || this.#onUncertain === "fail")
      yield `${this.#id} is in doubt, and nobody asked`;
  }

  /** What is to follow by the policy for effects that nobody knows the end of; null: what follows any failure. */
  #rightInDoubt({ reason, code }: Failure): Right | null {
    const doubt = this.#doubt;
    const isOpen = this.#open.size > 0 && reason !== "undelivered";
    this.#doubt = null;
    if (doubt !== null) this.#open.clear();
    const failed: Right = { type: "fail", used: this.#used + 1, deadLetter: null };
    if (code === "effect_differs" || doubt === "unknown" || doubt === "undone") return failed;
    return isOpen && doubt === null && this.#onUncertain !== undefined ? failed : null;
  }

  *#decided(fact: Fact): Iterable<string> {
    const failure = this.#failure;
    this.#failure = null;
    if (failure === null) {
      yield* this.#withoutFailure(fact);
      return;
    }
    const right = this.#rightInDoubt(failure) ?? this.#rightAfter(failure);
    if (failure.reason === "lost") this.#lost += 1;
    this.#used = right.used;
    const what = this.#difference(right, failure, fact);
    if (what !== null) {
      yield `attempt ${failure.number} of ${this.#id} (${failure.reason}, ${failure.code}) was followed by ${fact.type}: ${what}`;
    }
    if (fact.type === "task.fell_back") this.#fallBack();
  }

  /** Its time or its agents may run out while it waits. */
  *#withoutFailure(fact: Fact): Iterable<string> {
    const { type, data, at } = fact;
    const code = this.#open.size > 0 ? lastCodeOf(data) : codeOf(data);
    const isLate = data.deadLetter === "deadline" && code === "deadline_exceeded" && at >= this.#deadline;
    const isAbandoned = code === "agent_gone" && (data.deadLetter === "agent" || type === "task.fell_back");
    if (!isLate && !isAbandoned) yield `${type} of ${this.#id} has no cause (${code})`;
    const left = isAbandoned ? this.#registry.left(this.#lane, fact) : null;
    if (left !== null) yield `${this.#id} was given up for want of agents, and ${left} is there`;
    if (isAbandoned && type === "task.failed" && this.#canFallBack) yield `${this.#id} failed and had a fallback`;
    if (type === "task.fell_back") this.#fallBack();
  }

  #fallBack(): void {
    this.#fellBack = true;
    this.#undelivered = 0;
    this.#max = this.#used + this.#retry.maxAttempts;
  }

  get #canFallBack(): boolean {
    return this.#hasFallback && !this.#fellBack;
  }

  #rightAfter({ reason, probe, code }: Failure): Right {
    const { on } = this.#retry;
    const used = this.#used + 1;
    const isEndpoints = reason === "undelivered" || reason === "unavailable" || reason === "timeout";
    const mayRetry = reason === "undelivered" || (reason !== "rejected" && on.includes(reason));
    if (!mayRetry) return this.#over(used, null);
    if (probe && isEndpoints) {
      return this.#canFallBack
        ? { type: "fall_back", used: used - 1 }
        : { type: "retry", used: used - 1, least: 0, most: 0 };
    }
    if (reason === "undelivered") return this.#afterUndelivered();
    this.#undelivered = 0;
    if (used >= this.#max) return this.#over(used, "attempts");
    if (reason === "lost" && this.#lost === 0) return { type: "retry", used, least: 0, most: 0 };
    const [least, most] = this.#backoff(used);
    return { type: "retry", used, least, most: ASKED_TO_WAIT.has(code) ? Number.POSITIVE_INFINITY : most };
  }

  #afterUndelivered(): Right {
    this.#undelivered += 1;
    if (this.#undelivered < UNDELIVERED_PER_ATTEMPT) {
      const most = Math.min(UNDELIVERED_FIRST * 2 ** (this.#undelivered - 1), UNDELIVERED_MAX);
      return { type: "retry", used: this.#used, least: most / 2, most };
    }
    this.#undelivered = 0;
    const used = this.#used + 1;
    if (used >= this.#max || !this.#retry.on.includes("unavailable")) return this.#over(used, "attempts");
    const [least, most] = this.#backoff(used);
    return { type: "retry", used, least, most };
  }

  #over(used: number, deadLetter: "attempts" | null): Right {
    return this.#canFallBack ? { type: "fall_back", used } : { type: "fail", used, deadLetter };
  }

  #backoff(used: number): [least: number, most: number] {
    const { initialDelay, maxDelay, backoff, jitter } = this.#retry;
    const grown = backoff === "fixed" ? initialDelay : initialDelay * 2 ** Math.min(used - 1, 60);
    const most = Math.min(grown, maxDelay);
    return [jitter === "full" ? 0 : most, most];
  }

  #difference(right: Right, failure: Failure, fact: Fact): string | null {
    const { type, data } = fact;
    if (right.type === "fall_back") return type === "task.fell_back" ? null : "it had a fallback";
    if (right.type === "retry") return this.#retryDifference(right, failure, fact);
    if (type !== "task.failed") return "it had to fail";
    return data.deadLetter === right.deadLetter ? null : `its dead letter says ${String(data.deadLetter)}`;
  }

  #retryDifference(right: Retry, { reason }: Failure, { type, data, at }: Fact): string | null {
    if (type === "task.fell_back") return "it had attempts left";
    if (type === "task.failed") {
      const isTooLate = data.deadLetter === "deadline" && at + right.most >= this.#deadline;
      return isTooLate ? null : `it failed with ${right.used} of ${this.#max} attempts used`;
    }
    if (data.used !== right.used || data.max !== this.#max) {
      return `${data.used} of ${data.max} attempts count, ${right.used} of ${this.#max} are right`;
    }
    if (data.reason !== reason) return `it says ${String(data.reason)}`;
    return this.#waitDifference(right, parseTime(String(data.readyAt)) ?? Number.POSITIVE_INFINITY, at);
  }

  #waitDifference({ least, most }: Retry, readyAt: number, at: number): string | null {
    const wait = readyAt - at;
    // Rounded to whole microseconds.
    const isRight = wait >= Math.floor(least) && wait <= Math.ceil(most);
    if (!isRight) return `it waits ${wait} us, ${least} to ${most} are right`;
    return readyAt < this.#deadline ? null : "its deadline will have passed by then";
  }
}

const policyDecides: Invariant = {
  number: "17",
  name: "what follows a failed attempt, and after what time, is what the task's policy says",
  needs: [],
  *check({ db, history }: Evidence) {
    const tasks = db.all<TaskRow>("select id, policy, deadline from tasks where policy ->> 'probe' is null");
    const registry = new Registry(history);
    const courses = new Map(tasks.map((row) => [row.id, new Course(row, registry)]));
    const probes = probesIn(db);
    for (const fact of [...history.streams.values()].flat()) {
      const { data } = fact;
      const course = courses.get(String(data.taskId));
      if (course !== undefined) yield* course.take(fact, probes.has(`${data.taskId}/${data.number}`));
    }
  },
};

/** The lane of the requirement that a task fell back to. */
function laneOf(to: Readonly<Record<string, unknown>> & { kind: string }): string {
  if (to.kind === "capability") return `capability:${to.capability}`;
  return to.kind === "agent" ? `agent:${to.agentId}` : `name:${to.agentName}`;
}

function probesIn(db: Rows): ReadonlySet<string> {
  return new Set(db.texts("select task_id || '/' || n from attempts where probe = 1"));
}

/** Why an attempt failed, by the event that says so; null for any other event. */
function reasonOf({ type, data }: Fact): Failure["reason"] | null {
  const code = codeOf(data);
  if (type === "attempt.timed_out") return "timeout";
  if (type === "attempt.lost") return code === "undelivered" ? "undelivered" : "lost";
  if (type !== "attempt.failed") return null;
  if ((data.error as { retryable?: unknown } | undefined)?.retryable === false) return "rejected";
  return /^http_(?:408|425|429|5\d\d)$/.test(code) ? "unavailable" : "agent_error";
}

function codeOf(data: Fact["data"]): string {
  return String((data.error as { code?: unknown } | undefined)?.code);
}

/** Of what is uncertain, too, as its message tells it. */
function lastCodeOf(data: Fact["data"]): string {
  const { message } = (data.error ?? {}) as { message?: unknown };
  return / It ended with (\w+): /.exec(String(message))?.[1] ?? codeOf(data);
}

/** What follows from a failure is decided by the task's own policy, whoever found out about it. */
export const DECISIONS: readonly Invariant[] = [policyDecides];

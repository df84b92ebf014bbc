import { isJsonObject, type JsonObject, parseTime } from "@opspawn/contract";
import type { StoredEvent } from "@opspawn/ops-core/testing";
import { Sample } from "./sample.ts";

/** What became of the waiting and the work of one step; microseconds. */
export interface StepFigures {
  readonly step: string;
  readonly waits: Sample;
  readonly works: Sample;
  retries: number;
  /** Time spent waiting by the reason for it, as far as it was looked at. */
  readonly reasons: Map<string, number>;
}

/** A session that ended. */
export interface EndedSession {
  readonly id: string;
  readonly status: "completed" | "failed" | "cancelled";
  readonly latency: number;
  readonly error: JsonObject | null;
  /** A step of it ended, and nobody knows how. */
  readonly isUncertain: boolean;
}

interface OpenSession {
  readonly workflowId: string;
  readonly startedAt: number;
  readonly parentId: string | null;
  readonly children: string[];
  isUncertain: boolean;
}

interface OpenTask {
  readonly figures: StepFigures;
  /** From when on it could have been begun; null while it is worked on. */
  waitsSince: number | null;
  begunAt: number;
}

const ENDS: ReadonlySet<string> = new Set(["session.completed", "session.failed", "session.cancelled"]);
const TASK_ENDS: ReadonlySet<string> = new Set(["task.completed", "task.failed", "task.cancelled"]);
const ATTEMPT_ENDS = /^attempt\.(succeeded|failed|timed_out|lost|cancelled)$/;
const STEP_ENDS = /^step\.(completed|failed|cancelled|skipped|uncertain)$/;

/** Makes figures of the server's events. What it remembers is what is open. */
export class Collector {
  readonly steps = new Map<string, StepFigures>();
  /** Tasks that wait now, by step, oldest first. */
  readonly waiting = new Map<StepFigures, Set<string>>();
  readonly #workflowId: string;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #tasks = new Map<string, OpenTask>();
  /** Steps that wait for a time, a signal or somebody's decision, by session and step. */
  readonly #pauses = new Map<string, { readonly at: number; readonly figures: StepFigures }>();
  readonly #onEnd: (session: EndedSession, all: readonly string[]) => void;

  /** @param onEnd hears of each session that somebody started, with the ids of those within it */
  constructor(workflowId: string, onEnd: (session: EndedSession, all: readonly string[]) => void) {
    this.#workflowId = workflowId;
    this.#onEnd = onEnd;
  }

  /** Sessions that somebody started and that have not ended. */
  get open(): string[] {
    return [...this.#sessions].flatMap(([id, { parentId }]) => (parentId === null ? [id] : []));
  }

  observe(event: StoredEvent): void {
    const { type, stream, data, at } = event;
    if (type === "session.started") this.#begin(event);
    const session = this.#sessions.get(stream);
    if (session === undefined) return;
    if (ENDS.has(type)) {
      this.#end(event, session);
      return;
    }
    if (type === "step.uncertain") session.isUncertain = true;
    if (typeof data.taskId === "string") this.#ofTask(event, session, data.taskId);
    else if (typeof data.stepId === "string") this.#ofStep(type, at, `${stream}/${data.stepId}`, session, data.stepId);
  }

  #begin({ stream, data, at }: StoredEvent): void {
    const parentId = typeof data.parentSessionId === "string" ? data.parentSessionId : null;
    const workflowId = String(data.workflowId);
    this.#sessions.set(stream, { workflowId, startedAt: at, parentId, children: [], isUncertain: false });
    if (parentId !== null) this.#sessions.get(parentId)?.children.push(stream);
  }

  #end({ stream, type, data, at }: StoredEvent, session: OpenSession): void {
    this.#sessions.delete(stream);
    const parent = session.parentId === null ? undefined : this.#sessions.get(session.parentId);
    parent?.children.push(...session.children);
    if (session.parentId !== null) {
      if (parent !== undefined && session.isUncertain) parent.isUncertain = true;
      return;
    }
    const ended: EndedSession = {
      id: stream,
      status: type.slice("session.".length) as EndedSession["status"],
      latency: at - session.startedAt,
      error: isJsonObject(data.error) ? data.error : null,
      isUncertain: session.isUncertain,
    };
    this.#onEnd(ended, [stream, ...session.children]);
  }

  #ofTask({ type, at, data }: StoredEvent, session: OpenSession, taskId: string): void {
    if (type === "task.created") {
      const figures = this.#figures(session, String(data.stepId));
      this.#tasks.set(taskId, { figures, waitsSince: null, begunAt: at });
      this.#wait(taskId, at);
      return;
    }
    const task = this.#tasks.get(taskId);
    if (task === undefined) return;
    if (type === "attempt.created") {
      if (task.waitsSince !== null) task.figures.waits.add(Math.max(at - task.waitsSince, 0));
      task.begunAt = at;
      this.#endWait(taskId, task);
    } else if (ATTEMPT_ENDS.test(type)) {
      task.figures.works.add(at - task.begunAt);
    } else if (type === "task.retrying") {
      task.figures.retries += 1;
      this.#wait(taskId, parseTime(String(data.readyAt)) ?? at);
    } else if (type === "task.fell_back") {
      this.#wait(taskId, at);
    } else if (TASK_ENDS.has(type)) {
      this.#endWait(taskId, task);
      this.#tasks.delete(taskId);
    }
  }

  #ofStep(type: string, at: number, key: string, session: OpenSession, stepId: string): void {
    if (type === "step.waiting") {
      this.#pauses.set(key, { at, figures: this.#figures(session, stepId) });
    } else if (STEP_ENDS.test(type)) {
      const pause = this.#pauses.get(key);
      pause?.figures.waits.add(at - pause.at);
      this.#pauses.delete(key);
    }
  }

  #wait(taskId: string, since: number): void {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return;
    task.waitsSince = since;
    const set = this.waiting.get(task.figures);
    if (set === undefined) this.waiting.set(task.figures, new Set([taskId]));
    else set.add(taskId);
  }

  #endWait(taskId: string, task: OpenTask): void {
    task.waitsSince = null;
    this.waiting.get(task.figures)?.delete(taskId);
  }

  #figures({ workflowId }: OpenSession, stepId: string): StepFigures {
    const step = workflowId === this.#workflowId ? stepId : `${workflowId}/${stepId}`;
    const known = this.steps.get(step);
    if (known !== undefined) return known;
    const figures: StepFigures = { step, waits: new Sample(), works: new Sample(), retries: 0, reasons: new Map() };
    this.steps.set(step, figures);
    return figures;
  }
}

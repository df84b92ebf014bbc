import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, KeyedCallOptions, Transport } from "./transport.ts";

const { create, list, get, why, result, progress, lease, cancellation, redrive, cancel, events } = operations.tasks;

export type TaskQuery = OperationRequest<typeof list>["query"];
export type NewTask = OperationRequest<typeof create>["body"];
export type CancelReceipt = OperationRequest<typeof cancellation>["body"];
/** What an agent says of how far an attempt is. */
export interface TaskProgress {
  /** Any number of your own that grows as the work gets on. */
  readonly counter?: number | undefined;
  /** For people; absent = as it was. */
  readonly note?: string | undefined;
}
export type TaskResult = OperationRequest<typeof result>["body"];

/** Units of work. */
export class Tasks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Creates a task that belongs to no session. A key is made up for it, so that a repetition creates nothing twice. */
  create(body: NewTask, options?: KeyedCallOptions) {
    return this.#transport.call(create, { body }, options);
  }

  /** One page, newest first; `deadLetter: "true"` lists those that ran out of attempts or time. */
  list(query: TaskQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  listAll(query: TaskQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  /** A task with its attempts. */
  get(taskId: string, options?: CallOptions) {
    return this.#transport.call(get, { params: { taskId } }, options);
  }

  /** Why the task waits, evaluated now. */
  why(taskId: string, options?: CallOptions) {
    return this.#transport.call(why, { params: { taskId } }, options);
  }

  /** Reports the outcome of an attempt under its token; repeating an accepted one answers the same. */
  result(taskId: string, body: TaskResult, options?: CallOptions) {
    return this.#transport.call(result, { params: { taskId }, body }, options);
  }

  /**
   * Says how far an attempt is. Only a `counter` that grew is progress; any word is a sign of life. `lease_lost` when the
   * attempt is not this agent's any more: stop the work on it.
   */
  progress(taskId: string, token: string, said: TaskProgress = {}, options?: CallOptions) {
    return this.#transport.call(progress, { params: { taskId }, body: { token, ...said } }, options);
  }

  /** Says that an attempt is still being worked on; `lease_lost` when it is not this agent's any more. */
  lease(taskId: string, token: string, options?: CallOptions) {
    return this.#transport.call(lease, { params: { taskId }, body: { token } }, options);
  }

  /** An agent's word on a cancelled attempt, under its token: it heard of it, has stopped, or will not stop. */
  cancellation(taskId: string, body: CancelReceipt, options?: CallOptions) {
    return this.#transport.call(cancellation, { params: { taskId }, body }, options);
  }

  /** Does a dead letter again, as a new task or in a new session; the answer says which. */
  redrive(taskId: string, options?: KeyedCallOptions) {
    return this.#transport.call(redrive, { params: { taskId } }, options);
  }

  /** Cancels a stand-alone task; the answer tells who is to stop. A session's task is cancelled with its session. */
  cancel(taskId: string, options?: CallOptions) {
    return this.#transport.call(cancel, { params: { taskId } }, options);
  }

  /** Events of the task; `client.events.follow({ task })` tells them as they happen. */
  events(taskId: string, query: OperationRequest<typeof events>["query"] = {}, options?: CallOptions) {
    return this.#transport.call(events, { params: { taskId }, query }, options);
  }
}

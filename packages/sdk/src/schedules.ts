import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, KeyedCallOptions, Transport } from "./transport.ts";

const { create, list, get, why, update, pause, resume, trigger, backfill, next, fires, remove } = operations.schedules;

export type ScheduleCreation = OperationRequest<typeof create>["body"];
export type ScheduleDefinition = OperationRequest<typeof update>["body"];
export type ScheduleQuery = OperationRequest<typeof list>["query"];
export type BackfillRequest = OperationRequest<typeof backfill>["body"];
export type FireQuery = OperationRequest<typeof fires>["query"];

/** Workflows that start by themselves. Wherever an id is asked for, the schedule's name will do. */
export class Schedules {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Starts a workflow again and again: by `cron` (and `timeZone`), or `every` so long. */
  create(body: ScheduleCreation, options?: KeyedCallOptions) {
    return this.#transport.call(create, { body }, options);
  }

  /** One page, by name. */
  list(query: ScheduleQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  /** All pages, by name. */
  listAll(query: ScheduleQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  get(scheduleId: string, options?: CallOptions) {
    return this.#transport.call(get, { params: { scheduleId } }, options);
  }

  /** Why it starts nothing now. */
  why(scheduleId: string, options?: CallOptions) {
    return this.#transport.call(why, { params: { scheduleId } }, options);
  }

  /** Replaces what it starts and when, all of it; whether it is paused stays. */
  update(scheduleId: string, body: ScheduleDefinition, options?: CallOptions) {
    return this.#transport.call(update, { params: { scheduleId }, body }, options);
  }

  /** Nothing starts, and due times that pass meanwhile are not caught up with. */
  pause(scheduleId: string, body: { note?: string | undefined } = {}, options?: CallOptions) {
    return this.#transport.call(pause, { params: { scheduleId }, body }, options);
  }

  resume(scheduleId: string, options?: CallOptions) {
    return this.#transport.call(resume, { params: { scheduleId } }, options);
  }

  /** Starts its workflow now, paused or not, whatever is still open. Resolves once the session is stored. */
  trigger(scheduleId: string, options?: KeyedCallOptions) {
    return this.#transport.call(trigger, { params: { scheduleId } }, options);
  }

  /** Fires the due times of the past that started nothing, in order; with `dryRun` it only says which. */
  backfill(scheduleId: string, body: BackfillRequest, options?: CallOptions) {
    return this.#transport.call(backfill, { params: { scheduleId }, body }, options);
  }

  /** The next due times. */
  next(scheduleId: string, query: { count?: number; after?: string } = {}, options?: CallOptions) {
    return this.#transport.call(next, { params: { scheduleId }, query }, options);
  }

  /** One page of what became of its due times, newest first. */
  fires(scheduleId: string, query: FireQuery = {}, options?: CallOptions) {
    return this.#transport.call(fires, { params: { scheduleId }, query }, options);
  }

  /** All of them, newest first. */
  firesAll(scheduleId: string, query: FireQuery = {}, options?: CallOptions) {
    return allItems((cursor) =>
      this.fires(scheduleId, { limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options),
    );
  }

  /** Deletes it with its history; sessions it started go on. */
  remove(scheduleId: string, options?: CallOptions) {
    return this.#transport.call(remove, { params: { scheduleId } }, options);
  }
}

import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { announce, receipt, ofTask, list } = operations.effects;

export type EffectQuery = OperationRequest<typeof list>["query"];
export type EffectIntent = OperationRequest<typeof announce>["body"];
export type EffectReceipt = OperationRequest<typeof receipt>["body"];

/** What agents do outside, announced before and told of afterwards. `performEffect` does both. */
export class Effects {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Announces an effect under the token of an attempt; `done` in the answer: do not do it again. */
  announce(taskId: string, body: EffectIntent, options?: CallOptions) {
    return this.#transport.call(announce, { params: { taskId }, body }, options);
  }

  /** Tells what came of it, under any token that the task ever had. */
  receipt(taskId: string, effectId: string, body: EffectReceipt, options?: CallOptions) {
    return this.#transport.call(receipt, { params: { taskId, effectId }, body }, options);
  }

  /** What a task has announced, in order. */
  ofTask(taskId: string, options?: CallOptions) {
    return this.#transport.call(ofTask, { params: { taskId } }, options);
  }

  /** One page across sessions, newest first; `status: "open"` lists those without a receipt. */
  list(query: EffectQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  listAll(query: EffectQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }
}

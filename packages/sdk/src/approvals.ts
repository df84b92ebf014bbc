import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { list, get, why, approve, reject, link } = operations.approvals;

export type ApprovalQuery = OperationRequest<typeof list>["query"];
export type ApprovalDecision = NonNullable<OperationRequest<typeof approve>["body"]>;
export type ApprovalLinkRequest = NonNullable<OperationRequest<typeof link>["body"]>;

/** What sessions wait for that somebody has to decide. */
export class Approvals {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One page, newest first. */
  list(query: ApprovalQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  /** All pages, newest first. */
  listAll(query: ApprovalQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  get(approvalId: string, options?: CallOptions) {
    return this.#transport.call(get, { params: { approvalId } }, options);
  }

  /** Who has to decide, and since when. */
  why(approvalId: string, options?: CallOptions) {
    return this.#transport.call(why, { params: { approvalId } }, options);
  }

  /**
   * Approves: the session goes on. Give the `subjectHash` that was looked at, and the decision counts for nothing else.
   * Once it is answered it is final; the same one again by the same key changes nothing.
   */
  approve(approvalId: string, body: ApprovalDecision = {}, options?: CallOptions) {
    return this.#transport.call(approve, { params: { approvalId }, body }, options);
  }

  /** Rejects: the step fails, or its `onReject` is taken. Otherwise as `approve`. */
  reject(approvalId: string, body: ApprovalDecision = {}, options?: CallOptions) {
    return this.#transport.call(reject, { params: { approvalId }, body }, options);
  }

  /**
   * Makes a link by which somebody without a key can decide, once. Its `url` is the credential and is shown only here;
   * a call that is repeated because its answer was lost leaves a link behind that nobody has.
   */
  link(approvalId: string, body: ApprovalLinkRequest = {}, options?: CallOptions) {
    return this.#transport.call(link, { params: { approvalId }, body }, options);
  }
}

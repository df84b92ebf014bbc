import { type OperationRequest, operations } from "@opspawn/contract";
import { allItems, PAGE_LIMIT } from "./page.ts";
import type { CallOptions, Transport } from "./transport.ts";

const { list, get, approve, reject, link } = operations.approvals;

export type ApprovalQuery = OperationRequest<typeof list>["query"];
export type Decision = NonNullable<OperationRequest<typeof approve>["body"]>;
export type LinkRequest = NonNullable<OperationRequest<typeof link>["body"]>;

/** What sessions ask people to decide. */
export class Approvals {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One page, newest first. */
  list(query: ApprovalQuery = {}, options?: CallOptions) {
    return this.#transport.call(list, { query }, options);
  }

  listAll(query: ApprovalQuery = {}, options?: CallOptions) {
    return allItems((cursor) => this.list({ limit: PAGE_LIMIT, ...query, cursor: cursor ?? query.cursor }, options));
  }

  get(approvalId: string, options?: CallOptions) {
    return this.#transport.call(get, { params: { approvalId } }, options);
  }

  /**
   * Approves, once and for all. With the `subjectHash` that was looked at, only that.
   * @throws OpspawnApiError `approval_decided` when somebody else was first, `approval_stale`
   */
  approve(approvalId: string, body: Decision = {}, options?: CallOptions) {
    return this.#transport.call(approve, { params: { approvalId }, body }, options);
  }

  /** Rejects, as `approve` approves. */
  reject(approvalId: string, body: Decision = {}, options?: CallOptions) {
    return this.#transport.call(reject, { params: { approvalId }, body }, options);
  }

  /** Makes a link by which somebody without a key can decide once. Its `url` is in this answer and nowhere else. */
  link(approvalId: string, body: LinkRequest = {}, options?: CallOptions) {
    // With the answer the link is lost; trying again would leave one behind that nobody has.
    return this.#transport.call(link, { params: { approvalId }, body }, { maxRetries: 0, ...options });
  }
}

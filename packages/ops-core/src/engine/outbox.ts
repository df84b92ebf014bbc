import { type Clock, HOUR, MINUTE, SECOND } from "../domain/clock.ts";
import type { Delivery } from "../domain/deliveries/delivery.ts";
import type { Failpoint } from "../domain/failpoint.ts";
import type { HttpClient, HttpResult } from "../domain/http-client.ts";
import type { DeliveryStore } from "../domain/store.ts";

/** Delays before the attempts after the first; then the delivery is given up and stays listed as failed. */
const WEBHOOK_SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
const MESSAGE_SCHEDULE = [SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR];
const TIMEOUT_MS = 15_000;
const AT_ONCE = 64;

export type SignDelivery = (delivery: Delivery) => Readonly<Record<string, string>>;

export interface OutboxOptions {
  readonly deliveries: DeliveryStore;
  readonly http: HttpClient;
  /** Reaches the addresses of the operator's own settings: notifications and results go there. Default: `http`. */
  readonly internal?: HttpClient;
  readonly clock: Clock;
  readonly sign: SignDelivery;
  readonly failpoint?: Failpoint;
}

/** Sends what must arrive: agent messages and webhooks, in order per receiver, until each has arrived or is given up. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #open = new Map<string, Promise<void>>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Sends what is due, without waiting for answers. The number of deliveries begun. */
  async tick(): Promise<number> {
    const free = AT_ONCE - this.#open.size;
    if (free <= 0) return 0;
    const due = await this.#options.deliveries.due(free + this.#open.size);
    const begun = due.filter((delivery) => !this.#open.has(delivery.id)).slice(0, free);
    for (const delivery of begun) {
      const sent = this.#send(delivery).finally(() => this.#open.delete(delivery.id));
      this.#open.set(delivery.id, sent);
      // A failure to record leaves the delivery due; the next tick sends it again under the same id.
      sent.catch(() => undefined);
    }
    return begun.length;
  }

  /** Deliveries under way. */
  get open(): number {
    return this.#open.size;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#open.values());
  }

  async #send(delivery: Delivery): Promise<void> {
    const { deliveries, http, internal = http, sign, clock, failpoint } = this.#options;
    const attempt = delivery.attempts + 1;
    const isInternal = delivery.kind === "notification" || delivery.kind === "result";
    const result = await (isInternal ? internal : http).post({
      url: delivery.url,
      headers: { "content-type": "application/json", ...delivery.headers, ...sign(delivery) },
      body: delivery.body,
      headersTimeout: TIMEOUT_MS,
      deadline: TIMEOUT_MS,
    });
    failpoint?.("outbox.after-send");
    // We are stopping: it was no attempt of the receiver's.
    if (isShutdown(result)) return;
    const problem = problemOf(result);
    if (problem === null) {
      await deliveries.delivered(delivery.id, attempt);
      return;
    }
    const schedule = delivery.kind === "webhook" ? WEBHOOK_SCHEDULE : MESSAGE_SCHEDULE;
    const delay = result.kind === "refused" ? undefined : schedule[attempt - 1];
    await deliveries.failed(delivery.id, attempt, problem, delay === undefined ? null : clock.now() + delay);
  }
}

function isShutdown(result: HttpResult): boolean {
  return (result.kind === "unsent" || result.kind === "broken") && result.error.code === "shutdown";
}

function problemOf(result: HttpResult): string | null {
  switch (result.kind) {
    case "response":
      return result.status >= 200 && result.status < 300 ? null : `The receiver answered ${result.status}.`;
    case "refused":
      return result.reason;
    default:
      return result.error.message;
  }
}

import { type Clock, HOUR, MINUTE, SECOND } from "../domain/clock.ts";
import type { Delivery, DeliveryKind } from "../domain/deliveries/delivery.ts";
import type { DeliveryStore } from "../domain/deliveries/delivery-store.ts";
import type { Failpoint } from "../domain/failpoint.ts";
import type { HttpClient, HttpResult } from "../domain/http-client.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import { isRefusal, isShutdown } from "./http-ends.ts";

/** Delays before the attempts after the first; then the delivery is given up and stays listed as failed. */
const WEBHOOK_SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
const MESSAGE_SCHEDULE = [SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR];
/** About a day. */
const INTERNAL_TRIES = 8_640;
const INTERNAL_MAX_DELAY = 10 * SECOND;
const TIMEOUT_MS = 15_000;
const AT_ONCE = 64;

export type SignDelivery = (delivery: Delivery) => Readonly<Record<string, string>>;

export interface OutboxOptions {
  readonly deliveries: DeliveryStore;
  readonly http: HttpClient;
  /** Reaches the addresses of the operator's own settings: notifications and results go there. Default: `http`. */
  readonly internal?: HttpClient | undefined;
  readonly clock: Clock;
  readonly sign: SignDelivery;
  /** Hears of each message to an agent before it is sent. */
  readonly noteMessage?: ((agentId: string) => Promise<void>) | undefined;
  readonly failpoint?: Failpoint;
}

const KINDS: readonly DeliveryKind[] = ["message", "webhook", "notification", "result"];

/** Sends what must arrive: agent messages and webhooks, in order per receiver, until each has arrived or is given up. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queue: DeliveryQueue;

  constructor(options: OutboxOptions) {
    this.#options = options;
    const { deliveries } = options;
    this.#queue = new DeliveryQueue({ deliveries, kinds: KINDS, atOnce: AT_ONCE, send: (each) => this.#send(each) });
  }

  /** Sends what is due, without waiting for answers. The number of deliveries begun. */
  tick(): Promise<number> {
    return this.#queue.tick();
  }

  /** Deliveries under way. */
  get open(): number {
    return this.#queue.open;
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  async #send(delivery: Delivery): Promise<void> {
    const { deliveries, http, internal = http, sign, clock, noteMessage, failpoint } = this.#options;
    const attempt = delivery.attempts + 1;
    if (delivery.kind === "message" && delivery.agentId !== null) await noteMessage?.(delivery.agentId);
    const result = await (isInternal(delivery) ? internal : http).post({
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
    const delay = isFinal(delivery, result) ? undefined : delayAfter(delivery, attempt);
    await deliveries.failed(delivery.id, attempt, problem, delay === undefined ? null : clock.now() + delay);
  }
}

/** Goes to the other half of the platform, at an address of the operator's own settings. */
function isInternal({ kind }: Delivery): boolean {
  return kind === "notification" || kind === "result";
}

/** The other half is asked again within seconds, for a day: what it waits for must not outlast its absence for long. */
function delayAfter(delivery: Delivery, attempt: number): number | undefined {
  if (!isInternal(delivery)) return (delivery.kind === "webhook" ? WEBHOOK_SCHEDULE : MESSAGE_SCHEDULE)[attempt - 1];
  return attempt < INTERNAL_TRIES ? Math.min(SECOND * 2 ** Math.min(attempt - 1, 10), INTERNAL_MAX_DELAY) : undefined;
}

/** What the guard refuses stays refused; and an outcome that Ops-Core does not take (409: it has one) is of no use. */
function isFinal({ kind }: Delivery, result: HttpResult): boolean {
  if (result.kind === "refused") return true;
  return kind === "result" && result.kind === "response" && isRefusal(result.status);
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

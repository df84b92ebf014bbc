import type { CancelMessage } from "../domain/cancellations/cancellation.ts";
import { type Clock, HOUR, MINUTE, SECOND } from "../domain/clock.ts";
import type { Delivery, DeliveryKind } from "../domain/deliveries/delivery.ts";
import type { DeliveryStore } from "../domain/deliveries/delivery-store.ts";
import type { Failpoint } from "../domain/failpoint.ts";
import type { HttpClient, HttpResult } from "../domain/http-client.ts";
import { cancelMessageBody, readCancelAnswer } from "./cancel-message.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import { isRefusal, isShutdown } from "./http-ends.ts";

/** Delays before the attempts after the first; then the delivery is given up and stays listed as failed. */
const WEBHOOK_SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
/** Who is not told within the time of that stage need not be told any more. */
const CANCEL_SCHEDULE = [SECOND, 2 * SECOND, 4 * SECOND, 7 * SECOND];
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
  /** Where agents reach this server, without a trailing slash. */
  readonly publicUrl: string;
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

  async #send(stored: Delivery): Promise<void> {
    const delivery = this.#addressed(stored);
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
    const { id, cancellationId } = delivery;
    if (problem === null) {
      const receipt = cancellationId !== null && result.kind === "response" ? readCancelAnswer(result) : null;
      await (cancellationId === null
        ? deliveries.delivered(id, attempt)
        : deliveries.told(id, attempt, cancellationId, receipt));
      return;
    }
    const delay = isFinal(delivery, result) ? undefined : delayAfter(delivery, attempt);
    if (cancellationId !== null && delay === undefined) {
      await deliveries.untold(id, attempt, cancellationId, problem);
      return;
    }
    await deliveries.failed(delivery.id, attempt, problem, delay === undefined ? null : clock.now() + delay);
  }

  /** A cancellation becomes a message when it is sent: our own address is in it. */
  #addressed(delivery: Delivery): Delivery {
    if (delivery.cancellationId === null) return delivery;
    const message = JSON.parse(delivery.body) as CancelMessage;
    return {
      ...delivery,
      headers: { "idempotency-key": message.cancellationId, "x-opspawn-token": message.token },
      body: cancelMessageBody(message, this.#options.publicUrl),
    };
  }
}

/** Goes to the other half of the platform, at an address of the operator's own settings. */
function isInternal({ kind }: Delivery): boolean {
  return kind === "notification" || kind === "result";
}

/** The other half is asked again within seconds, for a day: what it waits for must not outlast its absence for long. */
function delayAfter(delivery: Delivery, attempt: number): number | undefined {
  if (delivery.cancellationId !== null) return CANCEL_SCHEDULE[attempt - 1];
  if (!isInternal(delivery)) return (delivery.kind === "webhook" ? WEBHOOK_SCHEDULE : MESSAGE_SCHEDULE)[attempt - 1];
  return attempt < INTERNAL_TRIES ? Math.min(SECOND * 2 ** Math.min(attempt - 1, 10), INTERNAL_MAX_DELAY) : undefined;
}

/** What the guard refuses stays refused; and an outcome that Ops-Core does not take (409: it has one) is of no use. */
function isFinal({ kind, cancellationId }: Delivery, result: HttpResult): boolean {
  if (result.kind === "refused") return true;
  // So is an agent that does not take what it registered for.
  if (cancellationId !== null && result.kind === "response") return isRefusal(result.status);
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

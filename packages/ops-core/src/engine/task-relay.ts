import { isJsonObject } from "@opspawn/contract";
import { type Clock, SECOND } from "../domain/clock.ts";
import type { Delivery, NewDelivery } from "../domain/deliveries/delivery.ts";
import type { DeliveryStore } from "../domain/deliveries/delivery-store.ts";
import type { Failpoint } from "../domain/failpoint.ts";
import type { HttpClient, HttpResult } from "../domain/http-client.ts";
import type { Ids } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import { outcomeBody } from "../domain/messages/outcome.ts";
import { leaseUrl, readTicket, type Ticket } from "../domain/messages/ticket.ts";
import { readStored } from "../domain/stored-json.ts";
import { readAnswer } from "../domain/tasks/answer.ts";
import { UNDELIVERED_PER_ATTEMPT } from "../domain/tasks/retry.ts";
import type { AttemptOutcome } from "../domain/tasks/task.ts";
import { AgentTraffic, type SentTask } from "./agent-traffic.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import { isRefusal, isShutdown } from "./http-ends.ts";
import type { SignDelivery } from "./outbox.ts";

export interface TaskRelayOptions {
  readonly deliveries: DeliveryStore;
  readonly http: HttpClient;
  /** Reaches Ops-Core. */
  readonly internal: HttpClient;
  /** Only there are outcomes posted, whatever a message says. */
  readonly opsCoreOrigin: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly sign: SignDelivery;
  /** Exchanges under way at once. */
  readonly atOnce: number;
  readonly failpoint?: Failpoint;
}

/** A message this young, of this process, may go without a question: its sender was there a moment ago. */
const FRESH = 2 * SECOND;
const FIRST_DELAY = SECOND;
const MAX_DELAY = 30 * SECOND;
const LEASE_TIMEOUT_MS = 5_000;
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Where a delivery stands. */
interface Try {
  readonly delivery: Delivery;
  readonly ticket: Ticket;
  /** Counts from 1. */
  readonly attempt: number;
  /** The agent may have had the message before. */
  readonly isResend: boolean;
  /** It may have had this one or another, so that its bare states prove nothing. */
  readonly isOneMore: boolean;
  readonly lease: string | null;
}

/**
 * Delivers the tasks that Ops-Core elsewhere gave to agents registered here. The agent's answer, and a task that could
 * not be delivered, are stored as a delivery to the task's `resultUrl` in the transaction that ends the message. Ops-Core
 * holds the lease: before a message is sent again it is asked, so that it counts the message, and drops what has ended.
 */
export class TaskRelay {
  readonly #options: TaskRelayOptions;
  readonly #queue: DeliveryQueue;
  readonly #startedAt: number;
  /** Of this process, while they have not ended: bytes of them may have left. */
  readonly #sent = new Set<string>();
  readonly #traffic: AgentTraffic;

  constructor(options: TaskRelayOptions) {
    const { deliveries, clock, atOnce } = options;
    this.#options = options;
    this.#startedAt = clock.now();
    this.#traffic = new AgentTraffic(clock);
    this.#queue = new DeliveryQueue({ deliveries, kinds: ["task"], atOnce, send: (each) => this.#relay(each) });
  }

  /** Sends what is due, without waiting for answers. The number of deliveries begun. */
  tick(): Promise<number> {
    return this.#queue.tick();
  }

  /** Exchanges under way. */
  get open(): number {
    return this.#queue.open;
  }

  /** A message that is no task is about to go to this agent: Ops-Core counts it with the tasks the agent is at. */
  async noteMessage(agentId: string): Promise<void> {
    this.#traffic.addMessage(agentId);
    await Promise.all(this.#traffic.openTasks(agentId).map((task) => this.#ask(task, true)));
  }

  async #relay(delivery: Delivery): Promise<void> {
    const { clock } = this.#options;
    const ticket = ticketOf(delivery);
    const { createdAt } = delivery;
    const isResend = createdAt < this.#startedAt || this.#sent.has(delivery.id);
    const lease = leaseUrl(ticket, this.#options.opsCoreOrigin);
    const isOneMore = isResend || this.#traffic.hadMessage(delivery.agentId ?? "");
    const one: Try = { delivery, ticket, attempt: delivery.attempts + 1, isResend, isOneMore, lease };
    if (lease === null) this.#warn(one);
    const isFresh = !isOneMore && clock.now() - createdAt <= FRESH;
    const mayGo = isFresh || lease === null ? "yes" : await this.#ask({ ...ticket, lease }, isOneMore);
    if (mayGo === "no") return this.#end(one, "Ops-Core says that this attempt has ended.");
    if (mayGo === "unknown") return this.#again(one, "Ops-Core could not be asked whether this is still wanted.");
    const left = Math.floor((ticket.deadline - clock.now()) / 1_000);
    if (left <= 0) return this.#end(one, "The attempt's deadline has passed.");
    await this.#record(one, await this.#send(one, Math.min(left, MAX_TIMEOUT)));
  }

  /** Asks for the attempt's lease: who may not renew it may not send. */
  async #ask({ lease, token }: SentTask, resend: boolean): Promise<"yes" | "no" | "unknown"> {
    const result = await this.#options.internal.post({
      url: lease,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token, resend }),
      headersTimeout: LEASE_TIMEOUT_MS,
      deadline: LEASE_TIMEOUT_MS,
    });
    if (result.kind !== "response") return "unknown";
    if (result.status >= 200 && result.status < 300) return "yes";
    return isRefusal(result.status) ? "no" : "unknown";
  }

  async #send({ delivery, ticket, lease }: Try, timeout: number): Promise<HttpResult> {
    const { http, sign, failpoint } = this.#options;
    this.#sent.add(delivery.id);
    if (lease !== null) this.#traffic.addTask(delivery.agentId ?? "", { ...ticket, lease });
    const result = await http.post({
      url: delivery.url,
      headers: { "content-type": "application/json", ...delivery.headers, ...sign(delivery) },
      body: delivery.body,
      // An agent may think before it answers.
      headersTimeout: timeout,
      deadline: timeout,
    });
    failpoint?.("outbox.after-send");
    return result;
  }

  async #record(one: Try, result: HttpResult): Promise<void> {
    const { delivery, attempt, isResend } = one;
    if (!isResend && result.kind === "unsent") this.#sent.delete(delivery.id);
    if (isShutdown(result)) return;
    switch (result.kind) {
      case "response": {
        const outcome = readAnswer(result, isResend ? 2 : 1, this.#options.clock.now());
        if (outcome?.type === "failed" && outcome.evidence === null)
          return this.#end(one, outcome.error.message, outcome);
        await this.#options.deliveries.delivered(delivery.id, attempt, this.#follow(one, outcome));
        this.#sent.delete(delivery.id);
        return;
      }
      case "refused":
        return this.#end(one, result.reason, failure("rejected", "endpoint_refused", result.reason));
      case "unsent": {
        const { message } = result.error;
        // As many as count for one where Ops-Core itself sends.
        if (attempt < UNDELIVERED_PER_ATTEMPT) return this.#again(one, message);
        return this.#end(one, message, failure("unavailable", "undelivered", message));
      }
      case "broken":
        return this.#again(one, result.error.message);
    }
  }

  /** Tries again later; past the deadline that is judged by Ops-Core. */
  async #again({ delivery, attempt }: Try, why: string): Promise<void> {
    const nextAt = this.#options.clock.now() + Math.min(FIRST_DELAY * 2 ** Math.min(attempt - 1, 10), MAX_DELAY);
    await this.#options.deliveries.failed(delivery.id, attempt, why, nextAt);
  }

  /** The message is given up; with an outcome Ops-Core is told. */
  async #end(one: Try, why: string, outcome: AttemptOutcome | null = null): Promise<void> {
    const { delivery, attempt } = one;
    await this.#options.deliveries.failed(delivery.id, attempt, why, null, this.#follow(one, outcome));
    this.#sent.delete(delivery.id);
  }

  #follow({ delivery, ticket, lease }: Try, outcome: AttemptOutcome | null): NewDelivery | undefined {
    if (outcome === null || lease === null) return undefined;
    return {
      id: `dlv_${this.#options.ids.uuid()}`,
      kind: "result",
      url: ticket.resultUrl,
      headers: {},
      body: outcomeBody(ticket.token, outcome),
      aggregate: delivery.aggregate,
      agentId: delivery.agentId,
      sessionId: null,
    };
  }

  #warn({ delivery, ticket }: Try): void {
    const { log, opsCoreOrigin } = this.#options;
    const fields = { taskId: ticket.taskId, agentId: delivery.agentId, resultUrl: ticket.resultUrl, opsCoreOrigin };
    log.warn(
      fields,
      "A task's results do not go to the origin of OPSCORE_WEBHOOK_URL: what its agent answers is not forwarded.",
    );
  }
}

/** What was stored with the message was read then. */
function ticketOf({ id, body }: Delivery): Ticket {
  const message = readStored(body);
  const ticket = isJsonObject(message) ? readTicket(message.opspawn) : null;
  if (ticket === null) throw new Error(`delivery ${id} carries no task`);
  return ticket;
}

function failure(reason: "rejected" | "unavailable", code: string, message: string): AttemptOutcome {
  return { type: "failed", reason, error: { code, message }, evidence: null };
}

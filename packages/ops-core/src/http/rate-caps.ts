import { isIPv6 } from "node:net";
import { OpspawnError } from "@opspawn/contract";
import type { Actor } from "../domain/context.ts";
import { Pace } from "./pace.ts";

/** Calls a second about one task under its own token: renewals, the result and its repetitions. */
const PER_TASK = 50;

export interface RateCapsOptions {
  /** Requests a second of one agent, over all of its keys; 0 = any number. */
  readonly perAgent: number;
  /** Requests a second without a key from one address; 0 = any number. */
  readonly perAddress: number;
  /** Milliseconds on a monotonic clock. */
  readonly elapsed: () => number;
}

/**
 * Keeps one flooding agent, or one address without a key, from taking the others' time. Admin keys and the keys that
 * an operator made for other programs are not capped.
 *
 * Results and renewals under a task's token are counted by task: there are no more of them than work was given out.
 * Those that were refused count against who sent them.
 */
export class RateCaps {
  readonly #elapsed: () => number;
  readonly #agents: Pace;
  readonly #addresses: Pace;
  readonly #tasks = new Pace(PER_TASK);

  constructor({ perAgent, perAddress, elapsed }: RateCapsOptions) {
    this.#elapsed = elapsed;
    this.#agents = new Pace(perAgent === 0 ? Number.POSITIVE_INFINITY : perAgent);
    this.#addresses = new Pace(perAddress === 0 ? Number.POSITIVE_INFINITY : perAddress);
  }

  /** A request without a key came in. @throws OpspawnError `rate_limited` */
  countAddress(address: string): void {
    hold(this.#addresses.take(networkOf(address), this.#elapsed()), ADDRESS);
  }

  /** A request without a key came in that is counted otherwise. @throws OpspawnError `rate_limited` */
  checkAddress(address: string): void {
    hold(this.#addresses.waitOf(networkOf(address), this.#elapsed()), ADDRESS);
  }

  /** A request of a known caller. @throws OpspawnError `rate_limited` */
  countActor({ agentId }: Actor): void {
    if (agentId !== null) hold(this.#agents.take(agentId, this.#elapsed()), AGENT);
  }

  /** A request under a task's token, not yet looked at. @throws OpspawnError `rate_limited` */
  countTask({ agentId }: Actor, taskId: string): void {
    const now = this.#elapsed();
    if (agentId !== null) hold(this.#agents.waitOf(agentId, now), AGENT);
    hold(this.#tasks.take(taskId, now), TASK);
  }

  /** The token was none, or not good any more. */
  countRefusal({ agentId }: Actor, address: string): void {
    const now = this.#elapsed();
    if (agentId === null) this.#addresses.take(networkOf(address), now);
    else this.#agents.take(agentId, now);
  }
}

const ADDRESS = "Too many requests without a key come from this address.";
const AGENT = "This agent sends too many requests.";
const TASK = "Too many requests about this task.";

/** @param wait milliseconds */
function hold(wait: number, message: string): void {
  if (wait > 0) throw new OpspawnError("rate_limited", message, { retryAfter: wait / 1000 });
}

/** One caller has an IPv4 address, but a whole /64 of IPv6 to choose from. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = "", tail] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const middle = tail === undefined ? [] : Array<string>(Math.max(8 - front.length - back.length, 0)).fill("0");
  return `${[...front, ...middle, ...back].slice(0, 4).join(":")}::/64`;
}

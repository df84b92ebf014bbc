import { type Clock, MINUTE } from "../domain/clock.ts";

/** A task that an agent was sent. */
export interface SentTask {
  /** Where its lease is asked for. */
  readonly lease: string;
  readonly token: string;
  /** Microseconds. */
  readonly deadline: number;
}

/** As long as an agent's own word for being busy counts. */
const REMEMBERED = 10 * MINUTE;

/**
 * What went to each agent lately, of this process. Whoever judges bare states must know of every message to the agent,
 * and Ops-Core elsewhere sees only its own.
 */
export class AgentTraffic {
  readonly #clock: Clock;
  readonly #tasks = new Map<string, readonly SentTask[]>();
  readonly #messages = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  addTask(agentId: string, task: SentTask): void {
    const others = this.openTasks(agentId).filter(({ token }) => token !== task.token);
    this.#tasks.set(agentId, [...others, task]);
  }

  addMessage(agentId: string): void {
    this.#messages.set(agentId, this.#clock.now());
  }

  /** The tasks it was sent and may still be at. */
  openTasks(agentId: string): readonly SentTask[] {
    const open = (this.#tasks.get(agentId) ?? []).filter(({ deadline }) => deadline > this.#clock.now());
    if (open.length === 0) this.#tasks.delete(agentId);
    return open;
  }

  /** Whether it was sent a message that was no task, and may still be about it. */
  hadMessage(agentId: string): boolean {
    const at = this.#messages.get(agentId);
    if (at === undefined) return false;
    if (this.#clock.now() - at <= REMEMBERED) return true;
    this.#messages.delete(agentId);
    return false;
  }
}

import { type Assignment, formatDuration } from "@opspawn/contract";
import { runAttempt, type WorkHandler } from "./attempt.ts";
import { TaskCancelled } from "./cancelled-task.ts";
import type { OpspawnClient } from "./client.ts";
import { type Chance, type Clock, systemChance, systemClock } from "./clock.ts";
import { microsOf } from "./duration.ts";
import { isPassing } from "./errors.ts";
import { atLeast, pauseBefore, SHORTEST_POLL } from "./retry.ts";

export interface WorkOptions {
  /** A registered agent with `channel: "pull"`. */
  readonly agentId: string;
  readonly handler: WorkHandler;
  /** Tasks at once; the agent's `maxConcurrency` bounds it too. Default 1. */
  readonly concurrency?: number | undefined;
  /** Stops the claiming of new tasks; those under way have `drain` to end. */
  readonly signal?: AbortSignal | undefined;
  /** Default `10s`. What has not ended then is left to the server, which offers it again. */
  readonly drain?: string | undefined;
  /** Hears of failures that the loop survives. */
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly clock?: Clock | undefined;
  readonly chance?: Chance | undefined;
}

const CLAIM_WAIT = 20_000_000;

/**
 * The loop of a pull agent: claims tasks, keeps their leases, posts their results, until the signal is aborted.
 * @throws what the server says when trying again cannot help, such as an unknown agent or a revoked key
 */
export async function work(client: OpspawnClient, options: WorkOptions): Promise<void> {
  const clock = options.clock ?? systemClock;
  const chance = options.chance ?? systemChance;
  const drain = microsOf(options.drain ?? "10s", "drain");
  const active = new Map<string, Active>();
  const halt = new AbortController();
  const begin = (task: Assignment): void => {
    const lost = new AbortController();
    const attempt = runAttempt({
      client,
      task,
      handler: options.handler,
      halt: halt.signal,
      lost,
      onError: options.onError,
      clock,
      chance,
    });
    const ended = attempt.finally(() => active.delete(task.opspawn.token));
    active.set(task.opspawn.token, { ended, lost });
  };
  try {
    await claiming(client, options, { clock, chance, active, begin });
  } finally {
    const cancel = clock.after(drain, () => halt.abort(new Error("The worker is stopping")));
    await Promise.all([...active.values()].map(({ ended }) => ended));
    cancel();
  }
}

/** An attempt under way. */
interface Active {
  readonly ended: Promise<void>;
  readonly lost: AbortController;
}

interface Loop {
  readonly clock: Clock;
  readonly chance: Chance;
  /** By token. */
  readonly active: ReadonlyMap<string, Active>;
  readonly begin: (task: Assignment) => void;
}

async function claiming(client: OpspawnClient, options: WorkOptions, loop: Loop): Promise<void> {
  const { signal } = options;
  const concurrency = options.concurrency ?? 1;
  for (let failures = 0; !signal?.aborted; ) {
    if (loop.active.size >= concurrency) {
      await Promise.race([...loop.active.values()].map(({ ended }) => ended));
      continue;
    }
    const began = loop.clock.now();
    try {
      const fresh = await claimOnce(client, options, loop, concurrency - loop.active.size);
      failures = 0;
      // An answer without anything new, sooner than asked for, must not become a busy loop.
      if (!fresh) await atLeast(SHORTEST_POLL, began, loop.clock, signal);
    } catch (error) {
      if (signal?.aborted) return;
      if (!isPassing(error)) throw error;
      options.onError?.(error);
      await atLeast(pauseBefore(failures, loop.chance), loop.clock.now(), loop.clock, signal);
      failures += 1;
    }
  }
}

async function claimOnce(client: OpspawnClient, options: WorkOptions, loop: Loop, max: number): Promise<boolean> {
  const wait = formatDuration(CLAIM_WAIT);
  const { tasks, cancelled = [] } = await client.agents.claim(
    options.agentId,
    { wait, max },
    { signal: options.signal },
  );
  // What is not here is another worker's of the same agent.
  for (const notice of cancelled) loop.active.get(notice.token)?.lost.abort(new TaskCancelled(notice));
  // Until its token is used, an attempt is handed out again: the answer that brought it first may have been lost.
  const fresh = tasks.filter((task) => !loop.active.has(task.opspawn.token));
  for (const task of fresh) loop.begin(task);
  return fresh.length > 0;
}

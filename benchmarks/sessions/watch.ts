import type { Agents } from "./agents.ts";
import { startProduct } from "./product-variant.ts";
import { runRound } from "./round.ts";

/** What the product does on the disk for one session. */
export interface DiskWork {
  readonly statements: number;
  readonly commits: number;
  /** NaN when there is no strace. */
  readonly fsyncs: number;
}

export interface WatchOptions {
  readonly folder: string;
  readonly levels: readonly number[];
  readonly ms: number;
}

/**
 * Counts what the product does per session, on a server of its own that is not timed: watching slows it down, which
 * makes groups of transitions somewhat larger than they are at full speed.
 */
export async function watchProduct(agents: Agents, options: WatchOptions): Promise<Map<number, DiskWork>> {
  const variant = await startProduct(agents, { folder: options.folder, isWatched: true });
  const { product } = variant;
  const work = new Map<number, DiskWork>();
  for (const inFlight of options.levels) {
    const [before, from] = [await product.counts(), Date.now()];
    const { all } = await runRound(variant, { inFlight, leadMs: 0, ms: options.ms });
    const [after, to] = [await product.counts(), Date.now()];
    work.set(inFlight, {
      statements: (after.statements - before.statements) / all,
      commits: (after.commits - before.commits) / all,
      fsyncs: product.syncsBetween(from, to) / all,
    });
  }
  await variant.stop();
  return work;
}

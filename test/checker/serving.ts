import type { Rows } from "./evidence.ts";

const INSTANCE_LEASE = 10_000_000;

/** A server process, and when it served. Microseconds. */
export interface Instance {
  readonly epoch: number;
  readonly from: number;
  /** When it was last known to live. */
  readonly to: number;
}

export function instancesOf(db: Rows): Instance[] {
  return db.all<Instance>(
    `select epoch, started_at as "from", max(coalesce(ended_at, lease_until - ?), started_at) as "to" from instances
      order by epoch`,
    INSTANCE_LEASE,
  );
}

/** Microseconds between two moments at which a process served. */
export function servedBetween(instances: readonly Instance[], from: number, to: number): number {
  let served = 0;
  for (const each of instances) served += Math.max(Math.min(each.to, to) - Math.max(each.from, from), 0);
  return served;
}

import type { Rows } from "./evidence.ts";

/** Starts of a server that followed a death in the middle of something: how many found it, by what it was. */
export interface KillFigures {
  /** An attempt held a permit of a key. */
  readonly permits: number;
  /** A task waited for a permit or for its turn in a rate. */
  readonly waits: number;
  /** An effect was announced and nobody had told what came of it. */
  readonly effects: number;
  /** It was being found out what came of an effect. */
  readonly doubts: number;
  /** An agent was to stop and had not said its last word. */
  readonly cancellations: number;
}

/** What has two ends; nothing changes while no server runs, so what was open at a start was open at the death before it. */
interface Stretch {
  readonly from: number;
  readonly to: number | null;
}

const PERMITS = `select a.created_at as "from", a.ended_at as "to" from attempts a join tasks t on t.id = a.task_id
  where json_extract(t.limits, '$.concurrency') is not null`;
const WAITS = `select t.created_at as "from", min(a.created_at) as "to" from tasks t join attempts a on a.task_id = t.id
  where t.limits is not null group by t.id having min(a.created_at) > t.created_at`;
const EFFECTS = `select e.announced_at as "from", coalesce(e.told_at, t.ended_at) as "to" from effects e
  join tasks t on t.id = e.task_id`;
const DOUBTS = `select since as "from", ended_at as "to" from doubts`;
const CANCELLATIONS = `select requested_at as "from", ended_at as "to" from cancellations`;

export function killFiguresOf(db: Rows): KillFigures {
  const starts = db.all<{ at: number }>("select started_at as at from instances").map(({ at }) => at);
  const hits = (sql: string): number => {
    const stretches = db.all<Stretch>(sql);
    return starts.filter((at) => stretches.some(({ from, to }) => from < at && (to === null || to > at))).length;
  };
  return {
    permits: hits(PERMITS),
    waits: hits(WAITS),
    effects: hits(EFFECTS),
    doubts: hits(DOUBTS),
    cancellations: hits(CANCELLATIONS),
  };
}

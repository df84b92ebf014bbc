import type { Rows } from "../../checker/evidence.ts";
import { groupBy } from "../../checker/invariant.ts";

/** Between two probes of an endpoint at least. Microseconds. */
const PROBE_PAUSE = 5_000_000;

interface AttemptRow {
  readonly task_id: string;
  readonly n: number;
  readonly endpoint: string;
  readonly status: string;
  readonly probe: number;
  readonly created_at: number;
  readonly ended_at: number;
  readonly error: string | null;
}

interface CircuitRow {
  readonly endpoint: string;
  readonly opened_at: number | null;
}

/** An endpoint that fails is asked once in a while, until it works; here none is ever given to another agent. */
export function* endpointsOf(db: Rows): Iterable<string> {
  const attempts = groupBy(
    db.all<AttemptRow>(`select t.task_id, t.n, t.status, t.probe, t.created_at, t.ended_at, t.error,
        coalesce(a.endpoint, o.endpoint) as endpoint from attempts t join tasks k on k.id = t.task_id
      left join agents a on a.id = t.agent_id left join tools o on t.agent_id is null and 'tool:' || o.name = k.lane
      where coalesce(a.endpoint, o.endpoint) is not null order by t.created_at`),
    ({ endpoint }) => endpoint,
  );
  for (const [endpoint, all] of attempts) {
    const probes = all.filter(({ probe }) => probe === 1);
    for (const [i, probe] of probes.slice(1).entries()) {
      const pause = probe.created_at - (probes[i]?.created_at ?? 0);
      if (pause < PROBE_PAUSE)
        yield `${endpoint} was probed after ${pause} us by attempt ${probe.n} of ${probe.task_id}`;
    }
  }
  const open = db.all<CircuitRow>("select endpoint, opened_at from circuits where opened_at is not null");
  for (const { endpoint, opened_at } of open) {
    const works = attempts
      .get(endpoint)
      ?.some(({ status, ended_at }) => status === "succeeded" && ended_at > (opened_at ?? 0));
    if (works === true) yield `${endpoint} works, and its circuit is open`;
  }
}

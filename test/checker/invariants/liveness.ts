import { entriesOf } from "../entries.ts";
import { ENDED_DELIVERY } from "../fold.ts";
import { groupBy, type Invariant } from "../invariant.ts";
import { type Instance, instancesOf, servedBetween } from "../serving.ts";

const SECOND = 1_000_000;
/** How long work of a dead process may stay with it, once others serve. */
const TAKEN_OVER_WITHIN = 15 * SECOND;

const nothingIsStuck: Invariant = {
  number: "18",
  name: "everything open has a next wake-up",
  needs: [],
  *check({ db }) {
    yield* db.texts(
      `select 'task ' || id || ' waits without a deadline' from tasks t where status = 'pending' and wake_at is null
        and not exists (select 1 from doubts d where d.task_id = t.id and d.ended_at is null)`,
    );
    yield* db.texts(
      "select 'attempt ' || task_id || '/' || n || ' is open without a wake-up' from attempts where ended_at is null and wake_at is null",
    );
    yield* db.texts(
      "select 'delivery ' || id || ' waits without a next try' from deliveries where status = 'pending' and wake_at is null",
    );
    yield* db.texts(
      "select 'lane ' || lane || ' of task ' || id || ' is no lane' from tasks where status = 'pending' and lane = ''",
    );
  },
};

const slotsDrainOnce: Invariant = {
  number: "18",
  name: "a slot drains no longer than its attempt was given",
  needs: [],
  *check({ db }) {
    yield* db.texts(`select 'attempt ' || d.task_id || '/' || d.n || ' keeps its slot for ' || (d.until - a.ended_at) || ' us'
      from draining_slots d join attempts a on a.task_id = d.task_id and a.n = d.n
      where d.until > a.ended_at + max(a.timeout_at - a.created_at, 0)`);
  },
};

interface Held {
  readonly task_id: string;
  readonly n: number;
  readonly epoch: number;
  readonly until: number | null;
}

const takenOver: Invariant = {
  number: "R7",
  name: "work that a dead process was sending is with another within 15 s of serving",
  needs: [],
  *check({ db }) {
    const instances = instancesOf(db);
    // `until`: when its sender was of no more account: the agent had it, or it ended.
    const attempts = db.all<Held>(`select a.task_id, a.n, a.epoch, min(coalesce(a.acknowledged_at, a.ended_at),
      coalesce(a.ended_at, a.acknowledged_at)) as until from attempts a join agents g on g.id = a.agent_id
      where g.channel = 'push'`);
    for (const { task_id, n, epoch, until } of attempts) {
      const left = servedAfter(instances, epoch, until ?? Number.POSITIVE_INFINITY);
      if (left > TAKEN_OVER_WITHIN) {
        yield `attempt ${task_id}/${n} stayed with dead process ${epoch} while others served for ${Math.round(left / SECOND)} s`;
      }
    }
  },
};

/** Microseconds that processes after this one served, up to a moment. */
function servedAfter(instances: readonly Instance[], epoch: number, until: number): number {
  const later = instances.filter((instance) => instance.epoch > epoch);
  return servedBetween(later, Number.NEGATIVE_INFINITY, until);
}

const outboxIsEmpty: Invariant = {
  number: "21",
  name: "every session that asked for a webhook has one, and it was sent",
  needs: [],
  *check({ db, isDrained }) {
    yield* db.texts(`select 'session ' || s.id || ' has ' || count(d.id) || ' webhooks' from sessions s
      left join deliveries d on d.session_id = s.id and d.kind = 'webhook'
      and json_extract(d.body, '$.type') like 'session.%'
      where s.callback_url is not null and s.ended_at is not null group by s.id having count(d.id) <> 1`);
    if (!isDrained) return;
    const ended = ENDED_DELIVERY.map((status) => `'${status}'`).join(", ");
    yield* db.texts(
      `select 'delivery ' || id || ' is still ' || status from deliveries where status not in (${ended})`,
    );
    yield* db.texts(
      `select 'delivery ' || id || ' was given up: ' || last_error from deliveries where status = 'failed'
        and last_error not in ('The agent was deregistered.', 'The approval ended before this had arrived.')
        and cancellation_id is null`,
    );
  },
};

const webhooksArrive: Invariant = {
  number: "21",
  name: "each webhook arrives, under one id",
  needs: ["effects"],
  *check({ db, effects }) {
    const arrived = entriesOf(effects ?? [], "webhook");
    const told = arrived.filter(({ event }) => event.startsWith("session."));
    for (const [session, sends] of groupBy(told, (entry) => entry.session)) {
      const ids = new Set(sends.map(({ id }) => id));
      if (ids.size > 1) yield `the end of session ${session} was told under ${ids.size} ids`;
    }
    const ends = new Map(
      db.all<{ id: string; status: string }>("select id, status from sessions").map(({ id, status }) => [id, status]),
    );
    for (const { session, event } of told) {
      if (event !== `session.${ends.get(session)}`)
        yield `session ${session} is ${ends.get(session)}, and told ${event}`;
    }
    const taken = new Set(arrived.filter(({ status }) => status === 200).map(({ id }) => id));
    const rows = db.all<{ id: string; status: string }>("select id, status from deliveries where kind = 'webhook'");
    for (const { id, status } of rows) {
      if (status === "delivered" && !taken.has(id)) yield `webhook ${id} counts as delivered, and never arrived`;
    }
    const known = new Set(rows.map(({ id }) => id));
    for (const id of taken) if (!known.has(id)) yield `webhook ${id} arrived, and does not exist`;
  },
};

const integrity: Invariant = {
  number: "25",
  name: "the database is whole",
  needs: [],
  *check({ db }) {
    for (const line of db.texts("pragma integrity_check")) if (line !== "ok") yield line;
  },
};

/** Nothing waits for ever, and what must arrive has arrived. */
export const LIVENESS: readonly Invariant[] = [
  nothingIsStuck,
  slotsDrainOnce,
  takenOver,
  outboxIsEmpty,
  webhooksArrive,
  integrity,
];

import type { AttemptStore, Sender } from "../../packages/ops-core/src/domain/store.ts";
import type { Simulation } from "./simulation.ts";

/** Milliseconds within which a process that runs does what is due; it looks four times a second. */
const DUE_WITHIN = 3_000;
/** ... and claims what can be claimed. */
const CLAIMED_WITHIN = 2_500;
/** ... and sends what it has claimed with a commit whose answer was lost: it is looked for every 3 s, from 3 s on. */
const SENT_WITHIN = 6_500;

const OVERDUE = `select 'task ' || id || ' is ' || status || ' and overdue (' || coalesce(wake_for, 'deadline') || ')' as what
    from tasks where wake_at < ?1
  union all select 'step ' || step || ' of session ' || session_id || ' still waits' from session_steps where wake_at < ?1
  union all select 'approval ' || id || ' should have expired' from approvals where wake_at < ?1
  union all select 'cancellation ' || id || ' is past its stage' from cancellations where wake_at < ?1
  union all select 'schedule ' || name || ' has something due' from schedules where wake_at < ?1
  union all select 'session ' || id || ' is past its deadline' from sessions where wake_at < ?1
  union all select 'attempt ' || task_id || '/' || n || ' keeps its slot' from draining_slots where until < ?1
  union all select 'attempt ' || d.task_id || '/' || d.n || ' is to keep its slot for long' from draining_slots d
    join attempts a on a.task_id = d.task_id and a.n = d.n where d.until > a.ended_at + a.timeout_at - a.created_at
  union all select 'agent ' || a.name || ' is silent and keeps ' || t.id from agents a join tasks t on t.agent_id = a.id
    where t.status = 'running' and a.lease_until < ?1
      and (a.channel = 'pull' or (a.heartbeat = 1 and t.attempt_status = 'acknowledged'))`;

const UNSENT = `select t.id, t.token from tasks t left join agents a on a.id = t.agent_id
    left join tools o on 'tool:' || o.name = t.lane where t.status = 'running'
  and (a.channel = 'push' or (t.agent_id is null and o.name is not null)) and t.attempt_status = 'created' and t.attempt_created_at < ? and t.sends = 1
  and t.epoch = (select max(epoch) from instances)`;

/** Agents that are to be tried by their probe, with nothing in the way. */
const UNPROBED = `select a.name from quarantines q join agents a on a.id = q.agent_id where q.trial is null
  and q.next_try_at < ?1 and a.probe is not null and a.channel = 'push' and a.endpoint is not null
  and lower(a.own_state) = 'idle' and (a.heartbeat = 0 or a.lease_until is null or a.lease_until > ?2)
  and not exists (select 1 from tasks t where t.status = 'running' and t.agent_id = a.id)
  and not exists (select 1 from draining_slots d where d.agent_id = a.id)
  and not exists (select 1 from circuits c where c.endpoint = a.endpoint)`;

const ENDED = `select id, status || ' after ' || attempts || ' tries at ' || ended_at || coalesce(': ' || last_error, '') as what
  from deliveries where ended_at is not null`;

/** What may be given out, the first of each lane and of each line in it. */
const FIRST = `select id, lane || coalesce(' ' || limits, '') as lane from tasks t where status = 'pending' and held = 0 and ready_at <= ?1 and deadline > ?1
  and order_key = (select min(order_key) from tasks o where o.status = 'pending' and o.lane = t.lane
    and o.limits is t.limits and o.ready_at <= ?1 and o.deadline > ?1)`;

/** Who holds a key, the first to begin first: attempts that run, and those whose slots drain. */
const HOLDERS = `select limits ->> '$.concurrency.key' as key, limits ->> '$.concurrency.limit' as "limit", task from
    (select limits, id as task, attempt_created_at as since from tasks where status = 'running'
      union all select t.limits, t.id, a.created_at from draining_slots d join tasks t on t.id = d.task_id
        join attempts a on a.task_id = d.task_id and a.n = d.n)
  where limits ->> '$.concurrency.key' is not null order by since, "limit"`;

interface Holder {
  readonly key: string;
  readonly limit: number;
  readonly task: string;
}

/** Looks over a server's shoulder while it runs: what a process that lives and has all it needs must not leave undone. */
export class Watch {
  readonly #sim: Simulation;
  /** Since when the first task of a lane has been there for the taking. */
  readonly #claimable = new Map<string, { readonly id: string; readonly since: number }>();

  readonly #ended = new Map<string, string>();
  #overdueBefore: ReadonlySet<string> = new Set();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  async look(): Promise<void> {
    const { steady, calm } = this.#sim;
    const overdue = steady > DUE_WITHIN ? this.#overdue() : [];
    // What ran beyond its deadline, because nobody could judge it for a while, may just have come back to wait.
    this.#complain(overdue.filter((what) => this.#overdueBefore.has(what)));
    this.#overdueBefore = new Set(overdue);
    if (calm > SENT_WITHIN) this.#complain(this.#unsent());
    this.#complain(this.#changed());
    this.#complain(this.#beyondLimits());
    this.#complain(await this.#unclaimed());
  }

  /** As a sender finds them whose process was thought to be dead: what it saw counts only if nobody has taken over. */
  lateAttempts(attempts: AttemptStore): AttemptStore {
    return {
      ...attempts,
      observe: async (sender, outcome) => {
        const wasReplaced = this.#isReplaced(sender);
        const settled = await attempts.observe(sender, outcome);
        if (wasReplaced && settled.type === "accepted") {
          this.#complain([`what send ${sender.send} of ${sender.taskId} saw was believed, and another has taken over`]);
        }
        return settled;
      },
    };
  }

  #isReplaced({ taskId, attempt, epoch, send }: Sender): boolean {
    const sql = "select epoch, sends from attempts where task_id = ? and n = ?";
    const [row] = this.#sim.look<{ epoch: number; sends: number }>(sql, taskId, attempt);
    return row !== undefined && (row.epoch !== epoch || row.sends !== send);
  }

  #complain(findings: readonly string[]): void {
    for (const finding of findings) {
      if (!this.#sim.complaints.includes(finding)) this.#sim.complaints.push(finding);
    }
  }

  #ago(ms: number): number {
    return this.#sim.clock.now() - ms * 1_000;
  }

  #overdue(): string[] {
    return this.#sim.look<{ what: string }>(OVERDUE, this.#ago(DUE_WITHIN)).map(({ what }) => what);
  }

  #unsent(): string[] {
    const { life } = this.#sim;
    if (life.capacity.left() <= 0) return [];
    const unprobed = this.#sim.look<{ name: string }>(UNPROBED, this.#ago(SENT_WITHIN), this.#ago(0));
    this.#complain(unprobed.map(({ name }) => `${name} is to be tried by its probe, and nobody does`));
    const rows = this.#sim.look<{ id: string; token: string }>(UNSENT, this.#ago(SENT_WITHIN));
    return rows.filter(({ token }) => !life.posted.has(token)).map(({ id }) => `task ${id} was claimed and never sent`);
  }

  /** Deliveries have no events that would tell what became of them after their end. */
  #changed(): string[] {
    const rows = this.#sim.look<{ id: string; what: string }>(ENDED);
    const changed = rows.filter(({ id, what }) => (this.#ended.get(id) ?? what) !== what);
    for (const { id, what } of rows) this.#ended.set(id, what);
    return changed.map(({ id, what }) => `delivery ${id} had ended, and is now ${what}`);
  }

  /** What began while as many of its key were at work, or might be, as may be. */
  #beyondLimits(): string[] {
    const found: string[] = [];
    const held = new Map<string, number>();
    for (const { key, limit, task } of this.#sim.look<Holder>(HOLDERS)) {
      const before = held.get(key) ?? 0;
      if (before >= limit)
        found.push(`task ${task} is at work beside ${before} others of key ${key}, and ${limit} may`);
      held.set(key, before + 1);
    }
    return found;
  }

  /** Work that waits although somebody is there who could do it. */
  async #unclaimed(): Promise<string[]> {
    const sim = this.#sim;
    const known = new Map(this.#claimable);
    this.#claimable.clear();
    const found: string[] = [];
    if (sim.life.capacity.left() <= 0) return found;
    for (const { id, lane } of sim.look<{ id: string; lane: string }>(FIRST, this.#ago(0))) {
      const why = await sim.world.raw.tasks.why(id);
      const agents = (why?.details.agents ?? []) as unknown as readonly { readonly reason: string }[];
      if (why?.reason !== "queued" && !agents.some(({ reason }) => reason === "ready")) continue;
      const before = known.get(lane);
      const since = before?.id === id ? before.since : sim.now;
      this.#claimable.set(lane, { id, since });
      const waits = Math.min(sim.now - since, sim.steady);
      if (waits > CLAIMED_WITHIN) found.push(`task ${id} waits, and somebody is free who could do it`);
    }
    return found;
  }
}

import { cancellationTable } from "../../../packages/ops-core/src/domain/cancellations/transitions.ts";
import { entriesOf } from "../entries.ts";
import type { Invariant } from "../invariant.ts";
import { instancesOf, servedBetween } from "../serving.ts";

const SECOND = 1_000_000;
/** How long servers may serve until an agent that can be reached is told. */
const TOLD_WITHIN = 8 * SECOND;
const OPEN: ReadonlySet<string> = new Set(cancellationTable.transitions.give_up.from);

interface ToldRow {
  readonly id: string;
  readonly agent: string;
  readonly requested: number;
  readonly heard: number;
}

const agentsAreTold: Invariant = {
  number: "15",
  name: "an agent that takes messages or asks for work is told of a cancellation within 8 s of serving",
  needs: ["effects", "punctual"],
  *check({ db }) {
    const instances = instancesOf(db);
    const now = Number(db.texts("select coalesce(max(at), 0) from events")[0]);
    const rows = db.all<ToldRow>(
      `select id, agent_name as agent, requested_at as requested,
          min(coalesce(delivered_at, ?1), coalesce(acknowledged_at, ?1), coalesce(ended_at, ?1)) as heard
        from cancellations where channel <> 'none'`,
      now,
    );
    for (const { id, agent, requested, heard } of rows) {
      const served = servedBetween(instances, requested, heard);
      if (served > TOLD_WITHIN)
        yield `${agent} was not told of cancellation ${id} while servers served for ${Math.round(served / SECOND)} s`;
    }
  },
};

const nothingComesOfIt: Invariant = {
  number: "15",
  name: "no result of what was cancelled is an outcome",
  needs: [],
  *check({ db, effects }) {
    yield* db.texts(`select 'attempt ' || c.task_id || '/' || c.n || ' was cancelled, and is ' || a.status || ' in a task that is '
        || t.status from cancellations c join tasks t on t.id = c.task_id join attempts a on a.task_id = c.task_id and a.n = c.n
      where a.status = 'succeeded' or t.status <> 'cancelled' or t.result is not null`);
    yield* db.texts(`select 'session ' || id || ' was cancelled and has a result' from sessions
      where status = 'cancelled' and result is not null`);
    const cancelled = new Set(
      db.texts(`select a.token from cancellations c join attempts a on a.task_id = c.task_id and a.n = c.n`),
    );
    for (const { agent, task, token, status } of entriesOf(effects ?? [], "reported")) {
      if (status === 200 && cancelled.has(token))
        yield `${agent} reported ${task}, which was cancelled, and was believed`;
    }
  },
};

interface StageRow {
  readonly id: string;
  readonly session: string;
  readonly stage: string;
}

/** Of sessions that were cancelled and of those within them. */
const STAGES = `with recursive below (root, id) as (select id, id from sessions where parent_id is null
    union all select below.root, s.id from below join sessions s on s.parent_id = below.id)
  select below.root as session, c.id, c.stage from below join cancellations c on c.session_id = below.id`;

const eachComesToItsEnd: Invariant = {
  number: "15",
  name: "who cancels learns how each cancellation ended, and that stays so",
  needs: ["client"],
  *check({ db, client, isDrained }) {
    const rows = db.all<StageRow>(STAGES);
    const told = new Map(entriesOf(client ?? [], "called_off").map(({ sessionId, stages }) => [sessionId, stages]));
    const now = new Map(rows.map(({ id, stage }) => [id, stage]));
    for (const stages of told.values()) yield* changed(stages, now);
    for (const row of rows) yield* untold(row, told.get(row.session));
    if (!isDrained) return;
    for (const { sessionId, status, waits } of entriesOf(client ?? [], "cancelled")) {
      if (status === 200 && waits && !told.has(sessionId))
        yield `nobody knows what came of the cancel of session ${sessionId}`;
    }
  },
};

function* changed(stages: Readonly<Record<string, string>>, now: ReadonlyMap<string, string>): Iterable<string> {
  for (const [id, stage] of Object.entries(stages)) {
    const is = now.get(id) ?? "gone";
    if (is !== stage && !mayBecome(stage, is)) yield `cancellation ${id} was told to be ${stage}, and is ${is}`;
  }
}

function* untold(
  { id, session, stage }: StageRow,
  told: Readonly<Record<string, string>> | undefined,
): Iterable<string> {
  if (told === undefined) return;
  if (!(id in told)) yield `nobody was told of cancellation ${id} of session ${session}`;
  if (OPEN.has(stage)) yield `cancellation ${id} of session ${session} is ${stage} again`;
}

/** After its end only words come that say more. */
function mayBecome(stage: string, later: string): boolean {
  const { transitions } = cancellationTable;
  return Object.values(transitions).some(
    ({ from, to }) => (from as readonly string[]).includes(stage) && (to === later || mayBecomeBy(to, later)),
  );
}

/** `refused` and `stopped` may each be followed by one that says more still. */
function mayBecomeBy(stage: string, later: string): boolean {
  const { stop, finish } = cancellationTable.transitions;
  return [stop, finish].some(({ from, to }) => (from as readonly string[]).includes(stage) && to === later);
}

/** What is cancelled is told to whoever has it, comes to an end, and counts for nothing. */
export const CALLED_OFF: readonly Invariant[] = [agentsAreTold, nothingComesOfIt, eachComesToItsEnd];

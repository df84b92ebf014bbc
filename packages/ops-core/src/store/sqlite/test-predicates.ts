/** The conditions of a write that stand side by side in its outermost `where`. None for reads and plain inserts. */
export function predicatesOf(sql: string): string[] {
  if (!/^\s*(update|delete|insert)\b/i.test(sql)) return [];
  return wheres(sql).flatMap(([start, end]) => conjuncts(sql.slice(start, end)));
}

/** The statement with one predicate always true. Its parameters stay where they are. */
export function withoutPredicate(sql: string, predicate: string): string {
  for (const [start, end] of wheres(sql)) {
    const at = sql.slice(start, end).indexOf(predicate);
    if (at < 0) continue;
    const from = start + at;
    return `${sql.slice(0, from)}((${predicate}) or true)${sql.slice(from + predicate.length)}`;
  }
  throw new Error(`no predicate ${predicate} in ${sql}`);
}

/** Where each outermost `where` clause begins and ends. */
function wheres(sql: string): [number, number][] {
  const found: [number, number][] = [];
  for (const match of sql.matchAll(/\bwhere\b/gi)) {
    if (depthAt(sql, match.index) > 0) continue;
    const start = match.index + match[0].length;
    const end = [...sql.slice(start).matchAll(/\b(on conflict|returning|order by|limit)\b/gi)].find(
      (stop) => depthAt(sql, start + stop.index) === 0,
    );
    found.push([start, end === undefined ? sql.length : start + end.index]);
  }
  return found;
}

function conjuncts(clause: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const match of clause.matchAll(/\band\b/gi)) {
    if (depthAt(clause, match.index) > 0) continue;
    parts.push(clause.slice(from, match.index).trim());
    from = match.index + match[0].length;
  }
  return [...parts, clause.slice(from).trim()];
}

function depthAt(text: string, index: number): number {
  let depth = 0;
  for (const character of text.slice(0, index)) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
  }
  return depth;
}

interface Redundant {
  /** How the statement begins. */
  readonly statement: string;
  readonly predicates: readonly string[];
  readonly reason: string;
}

const READ_BEFORE = "its value was read in the same transaction, and on SQLite nobody else writes";

/**
 * Predicates that nothing on SQLite can show to be missing: one process writes, and what a transition has read stays
 * true to its end. They stay in the writes all the same, because that is where a precondition belongs.
 */
const REDUNDANT: readonly Redundant[] = [
  {
    statement: "update instances",
    predicates: ["epoch = ?"],
    reason: "nothing reads it where one process owns the data",
  },
  {
    statement: "delete from agents",
    predicates: ["removed_at is not null"],
    reason: "only an id that no living agent has comes here",
  },
  { statement: "update agents set name", predicates: ["removed_at is null"], reason: READ_BEFORE },
  { statement: "update agents set removed_at", predicates: ["removed_at is null"], reason: READ_BEFORE },
  {
    statement: "update agents set messages_since_idle = 0",
    predicates: ["messages_since_idle > 0"],
    reason: "saves a write that changes nothing",
  },
  {
    statement: "delete from session_labels",
    predicates: ["key = ?", "value = ?"],
    reason: "all labels of the session go, one by one, so that the index finds them",
  },
  {
    statement: "update tasks set held = 0",
    predicates: ["held = 1"],
    reason: "saves writes that change nothing",
  },
  {
    statement: "insert into lanes",
    predicates: ["lanes.reason <> excluded.reason or lanes.details <> excluded.details"],
    reason: "saves a write that changes nothing",
  },
  {
    statement: "update agents set lease_until = ?, lease_moved = lease_moved + 1",
    predicates: ["lease_until < ?"],
    reason: "no lease is longer than what a moved one gets",
  },
  {
    statement: "update deliveries set url",
    predicates: ["endpoint = ?"],
    reason: "all that waits for an agent is where the agent is; this finds the index",
  },
  {
    statement: "update deliveries set status = 'failed', ended_at = ?, wake_at = null, last_error = ? where endpoint",
    predicates: ["endpoint = ?"],
    reason: "all that waits for an agent is where the agent is; this finds the index",
  },
  {
    statement: "update quarantines set trial",
    predicates: ["trial is null", "next_try_at <= ?"],
    reason: READ_BEFORE,
  },
  {
    statement: "update quarantines set tries",
    predicates: ["agent_id = ?", "trial = ?"],
    reason: "an agent is on one trial, and a trial is one agent's",
  },
  {
    statement: "update attempt_progress set suspect_since = ?",
    predicates: ["suspect_since is null"],
    reason: READ_BEFORE,
  },
  {
    statement: "update attempt_progress set suspect_since = null where agent_id",
    predicates: ["suspect_since is not null"],
    reason: "saves writes that change nothing, and finds the index",
  },
  {
    statement: "update attempt_progress set watched_from = watched_from + ?",
    predicates: ["n = ?"],
    reason: "nobody looks at the watch of an attempt that has ended",
  },
  { statement: "update tasks set wake_at = min(", predicates: ["wake_for = 'silence'"], reason: READ_BEFORE },
  { statement: "update circuits set next_probe_at", predicates: ["next_probe_at = ?"], reason: READ_BEFORE },
  { statement: "update cancellations set stage", predicates: ["stage = ?"], reason: READ_BEFORE },
  { statement: "update schedules set paused_at", predicates: ["next_at is ?"], reason: READ_BEFORE },
  { statement: "update schedule_fires set outcome", predicates: ["outcome = 'queued'"], reason: READ_BEFORE },
  {
    statement: "update session_steps set wake_at = ?, signal = ?",
    predicates: ["status = 'waiting'"],
    reason: READ_BEFORE,
  },
  { statement: "update approvals set status = ?", predicates: ["status = 'pending'"], reason: READ_BEFORE },
  { statement: "update approvals set reminders", predicates: ["status = 'pending'"], reason: READ_BEFORE },
  { statement: "update effects set status = ?", predicates: ["status = ?"], reason: READ_BEFORE },
  { statement: "update effects set status = 'intended'", predicates: ["status <> 'done'"], reason: READ_BEFORE },
  {
    statement: "update doubts set",
    predicates: ["ended_at is null"],
    reason: "it was read before; what a doubt that has ended says is only ever shown",
  },
  {
    statement: "update tasks set timeout_at",
    predicates: ["wake_at <= ?", "status = 'running'"],
    reason: "follows from the others; the first one is for the index",
  },
];

/** Which entry of the list explains that a predicate's absence cannot be noticed. */
export function findRedundant(sql: string, predicate: string): Redundant | undefined {
  const text = oneLine(sql);
  return REDUNDANT.find(
    ({ statement, predicates }) => text.startsWith(statement) && predicates.includes(oneLine(predicate)),
  );
}

/** Entries that explain nothing any more. */
export function idleEntries(used: ReadonlySet<Redundant>): Redundant[] {
  return REDUNDANT.filter((entry) => !used.has(entry));
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

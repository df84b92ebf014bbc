import { AgentIndex, type Doer } from "./agent-index.ts";
import type { Database } from "./database.ts";
import { LimitIndex } from "./limit-index.ts";
import { freeSlots } from "./slots.ts";
import { type StoredTask, toTaskRow } from "./stored-task.ts";
import type { TaskRow } from "./task-row.ts";
import { nextPosition, type TxContext } from "./tx.ts";

/** Compares what memory holds with the rows it was made from. */
export function findDisagreements(
  db: Database,
  context: Pick<TxContext, "agents" | "limits" | "recent" | "position">,
): string[] {
  return [
    ...compareAgents(db, context.agents),
    ...compareLimits(db, context.limits),
    ...compareRecent(db, context.recent),
    ...comparePosition(db, context),
  ];
}

function compareAgents(db: Database, agents: AgentIndex): string[] {
  if (agents.stale) return [];
  const fresh = new AgentIndex(db);
  const [known, stored] = [textsByName(agents), textsByName(fresh)];
  const names = new Set([...known.keys(), ...stored.keys()]);
  const entries = [...names].flatMap((name) => difference(name, known.get(name), stored.get(name)));
  const lanes = new Set([...agents.lanes(), ...fresh.lanes()]);
  const members = [...lanes].flatMap((lane) =>
    difference(`what serves lane ${lane}`, namesIn(agents, lane), namesIn(fresh, lane)),
  );
  return [...entries, ...members, ...compareSlots(db, agents), ...compareSets(agents, fresh)];
}

function nameOf(doer: Doer): string {
  return doer.kind === "agent" ? `agent ${doer.id}` : `tool ${doer.name}`;
}

function textsByName(agents: AgentIndex): Map<string, string> {
  const doers: Doer[] = [...agents.all(), ...agents.tools()];
  return new Map(doers.map((doer) => [nameOf(doer), JSON.stringify({ ...doer, free: null })]));
}

function namesIn(agents: AgentIndex, lane: string): string {
  return agents.inLane(lane).map(nameOf).sort().join();
}

function compareSlots(db: Database, agents: AgentIndex): string[] {
  return [...agents.all(), ...agents.tools()].flatMap((doer) => {
    if (doer.free === null) return [];
    const known = doer.free.toSorted((a, b) => b - a).join();
    return difference(`free slots of ${nameOf(doer)}`, known, freeSlots(db, doer).join());
  });
}

/** It may know of lines where nobody waits any more, but not of too few. */
function compareLimits(db: Database, limits: LimitIndex): string[] {
  if (limits.stale) return [];
  const fresh = new LimitIndex(db);
  const [known, stored] = [limits.contents(), fresh.contents()];
  return [
    ...difference("permits", known.permits.sort().join(), stored.permits.sort().join()),
    ...stored.lines.filter((line) => !known.lines.includes(line)).map((line) => `the line ${line} is forgotten`),
    ...known.uses.flatMap(([key, last]) => difference(`the uses of key ${key}`, `${last}`, `${fresh.lastUse(key)}`)),
    ...[...fresh.everyLine()].flatMap((line) => {
      const least = limits.line(line.lane, line.text)?.least ?? line.least;
      return least <= line.least ? [] : [`the line ${line.lane} ${line.text} has smaller keys than memory knows`];
    }),
  ];
}

/** These may hold too much, never too little. */
function compareSets(agents: AgentIndex, fresh: AgentIndex): string[] {
  const lanes = [...fresh.waiting].filter((lane) => !agents.waiting.has(lane));
  const endpoints = [...fresh.failing].filter((endpoint) => !agents.failing.has(endpoint));
  const cancelling = [...fresh.cancelling].filter((id) => !agents.cancelling.has(id));
  return [
    ...cancelling.map((id) => `the cancellations of agent ${id} are forgotten`),
    ...lanes.map((lane) => `work that waits in lane ${lane} is forgotten`),
    ...endpoints.map((endpoint) => `the failures of ${endpoint} are forgotten`),
  ];
}

function compareRecent(db: Database, recent: TxContext["recent"]): string[] {
  const { sessions, tasks } = recent.kept();
  return [
    ...sessions.flatMap((row) =>
      difference(`session ${row.id}`, sorted(row), sorted(db.get("select * from sessions where id = ?", row.id))),
    ),
    ...tasks.flatMap((row) => difference(`task ${row.id}`, taskText(row), taskText(storedTask(db, row.id)))),
  ];
}

function storedTask(db: Database, id: string): TaskRow | undefined {
  const stored = db.get<StoredTask>("select * from tasks where id = ?", id);
  return stored === undefined ? undefined : toTaskRow(stored);
}

function taskText(row: TaskRow | undefined): string {
  return `${sorted(row === undefined ? undefined : { ...row, last: null })} ${sorted(row?.last ?? undefined)}`;
}

function sorted(row: object | undefined): string {
  return JSON.stringify(Object.entries(row ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function comparePosition(db: Database, { position }: Pick<TxContext, "position">): string[] {
  if (position === null) return [];
  return difference("the next position", String(position), String(nextPosition(db)));
}

function difference(what: string, memory: string | undefined, rows: string | undefined): string[] {
  return memory === rows ? [] : [`${what}: memory has ${memory ?? "nothing"}, the rows say ${rows ?? "nothing"}`];
}

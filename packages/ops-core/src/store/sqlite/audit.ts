import { type AgentEntry, AgentIndex } from "./agent-index.ts";
import type { Database } from "./database.ts";
import { nextPosition, type TxContext } from "./tx.ts";

/** Compares what memory holds with the rows it was made from. */
export function findDisagreements(db: Database, context: Pick<TxContext, "agents" | "recent" | "position">): string[] {
  return [...compareAgents(db, context.agents), ...compareRecent(db, context.recent), ...comparePosition(db, context)];
}

function compareAgents(db: Database, agents: AgentIndex): string[] {
  if (agents.stale) return [];
  const fresh = new AgentIndex(db);
  const [known, stored] = [textsById(agents.all()), textsById(fresh.all())];
  const ids = new Set([...known.keys(), ...stored.keys()]);
  const entries = [...ids].flatMap((id) => difference(`agent ${id}`, known.get(id), stored.get(id)));
  const lanes = new Set([...agents.lanes(), ...fresh.lanes()]);
  const members = [...lanes].flatMap((lane) =>
    difference(`agents of lane ${lane}`, idsIn(agents, lane), idsIn(fresh, lane)),
  );
  return [...entries, ...members, ...compareSlots(db, agents), ...compareSets(agents, fresh)];
}

function textsById(entries: Iterable<AgentEntry>): Map<string, string> {
  return new Map([...entries].map(({ free: _free, ...entry }) => [entry.id, JSON.stringify(entry)]));
}

function idsIn(agents: AgentIndex, lane: string): string {
  return agents
    .inLane(lane)
    .map(({ id }) => id)
    .sort()
    .join();
}

function compareSlots(db: Database, agents: AgentIndex): string[] {
  return [...agents.all()].flatMap(({ id, free, maxConcurrency }) => {
    if (free === null) return [];
    const rows = db.all<{ n: number }>(
      "select n from permits where kind = 'agent' and key = ? and attempt_id is null and n < ? order by n",
      id,
      maxConcurrency,
    );
    const stored = rows.map(({ n }) => n).join();
    return difference(`free slots of agent ${id}`, free.toSorted((a, b) => a - b).join(), stored);
  });
}

/** These may hold too much, never too little. */
function compareSets(agents: AgentIndex, fresh: AgentIndex): string[] {
  const lanes = [...fresh.waiting].filter((lane) => !agents.waiting.has(lane));
  const endpoints = [...fresh.failing].filter((endpoint) => !agents.failing.has(endpoint));
  return [
    ...lanes.map((lane) => `work that waits in lane ${lane} is forgotten`),
    ...endpoints.map((endpoint) => `the failures of ${endpoint} are forgotten`),
  ];
}

function compareRecent(db: Database, recent: TxContext["recent"]): string[] {
  const { sessions, tasks, attempts } = recent.kept();
  return [
    ...sessions.flatMap((row) =>
      difference(`session ${row.id}`, sorted(row), sorted(db.get("select * from sessions where id = ?", row.id))),
    ),
    ...tasks.flatMap((row) =>
      difference(`task ${row.id}`, sorted(row), sorted(db.get("select * from tasks where id = ?", row.id))),
    ),
    ...attempts.flatMap((row) =>
      difference(
        `attempt ${row.task_id}/${row.n}`,
        sorted(row),
        sorted(db.get("select * from attempts where task_id = ? and n = ?", row.task_id, row.n)),
      ),
    ),
  ];
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

import type { Tx } from "./tx.ts";

/** What is known of these sessions, by the columns that name them or their tasks, whatever tables there are. */
const COLUMNS = `select m.name as "table", c.name as "column" from sqlite_schema m, pragma_table_info(m.name) c
  where m.type = 'table' and c.name in ('session_id', 'task_id')`;

interface Column {
  readonly table: string;
  readonly column: "session_id" | "task_id";
}

/** A slot that drains goes by its task, so a session is kept as long as one of its tasks has one. */
const DRAINING = `select distinct t.session_id as id from draining_slots d join tasks t on t.id = d.task_id
  where t.session_id in (select value from json_each(?))`;

/**
 * Removes all rows of sessions that have ended. Their tasks go last, since other rows are found by them; the newest event
 * stays, because positions are counted on from it.
 * @returns those that are still needed
 */
export function forgetSessions(tx: Tx, sessionIds: readonly string[]): string[] {
  const kept = tx.all<{ id: string }>(DRAINING, JSON.stringify(sessionIds)).map(({ id }) => id);
  const gone = sessionIds.filter((id) => !kept.includes(id));
  for (const id of gone) tx.context.recent.takeSession(id);
  const ids = JSON.stringify(gone);
  const columns = tx.all<Column>(COLUMNS);
  const ofTasks = "task_id in (select id from tasks where session_id in (select value from json_each(?)))";
  for (const { table, column } of columns) {
    if (column === "task_id" && table !== "tasks") tx.run(`delete from ${table} where ${ofTasks}`, ids);
  }
  for (const { table, column } of columns) {
    if (column !== "session_id") continue;
    tx.run(`delete from ${table} where session_id in (select value from json_each(?))`, ids);
  }
  tx.run("delete from sessions where id in (select value from json_each(?))", ids);
  tx.run(
    `delete from events where stream in (select value from json_each(?))
      and position < (select max(position) from events)`,
    ids,
  );
  return kept;
}

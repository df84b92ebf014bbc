import { type JsonObject, OpspawnError } from "@opspawn/contract";
import type { ToolStore } from "../../domain/store.ts";
import { readStored } from "../../domain/stored-json.ts";
import { laneOf } from "../../domain/tasks/task.ts";
import type { Tool } from "../../domain/tools/tool.ts";
import { once } from "./idempotency.ts";
import { decodeCursor, toPage, Where } from "./paging.ts";
import { releasePermitsOf } from "./permits.ts";
import type { SqliteContext } from "./store.ts";
import type { Tx } from "./tx.ts";
import { waitsIn } from "./waiting.ts";

interface ToolRow {
  name: string;
  description: string;
  parameters: string;
  endpoint: string;
  registered_at: number;
  max_concurrency: number;
}

export function toolStore({ db, writer }: SqliteContext): ToolStore {
  return {
    register: (tool, idempotency) =>
      writer.submit("normal", (tx) => {
        const { value, replayed } = once(tx, idempotency, () => registerTool(tx, tool));
        return { tool: value, replayed };
      }),
    replace: (tool) => writer.submit("normal", (tx) => replaceTool(tx, tool)),
    remove: (name) => writer.submit("normal", (tx) => removeTool(tx, name)),
    get: async (name) => {
      const row = db.get<ToolRow>("select * from tools where name = ?", name);
      return row === undefined ? null : toTool(row);
    },
    list: async (page) => {
      const where = new Where();
      if (page.cursor !== undefined) where.add("name > ?", ...decodeCursor(page.cursor, 1));
      const rows = db.all<ToolRow>(
        `select * from tools ${where.sql} order by name limit ?`,
        ...where.values,
        page.limit + 1,
      );
      return toPage(rows, page, toTool, (row) => [row.name]);
    },
  };
}

const INSERT = `insert into tools (name, description, parameters, endpoint, registered_at, max_concurrency)
  values (?, ?, ?, ?, ?, ?) on conflict (name)`;

function registerTool(tx: Tx, tool: Tool): Tool {
  if (tx.run(`${INSERT} do nothing`, ...columns(tool)) !== 1) {
    throw new OpspawnError("tool_name_taken", `Tool '${tool.name}' is registered already.`);
  }
  changed(tx, tool.name);
  return tool;
}

/** What it is called for at this moment goes on, and takes its slots also of the new one. */
function replaceTool(tx: Tx, tool: Tool): void {
  tx.run(
    `${INSERT} do update set description = excluded.description, parameters = excluded.parameters,
      endpoint = excluded.endpoint, registered_at = excluded.registered_at, max_concurrency = excluded.max_concurrency`,
    ...columns(tool),
  );
  changed(tx, tool.name);
}

/** Calls under way end as they do; nobody waits for the end of those that were given up. */
function removeTool(tx: Tx, name: string): boolean {
  if (tx.run("delete from tools where name = ?", name) !== 1) return false;
  releasePermitsOf(tx, "where tool = ?", name);
  tx.run("delete from draining_slots where tool = ?", name);
  changed(tx, name);
  return true;
}

/** What waits for it can be claimed now, or says another reason from now on. */
function changed(tx: Tx, name: string): void {
  const { agents } = tx.context;
  agents.reloadTool(name);
  const lane = laneOf({ kind: "tool", tool: name });
  if (waitsIn(tx, lane)) tx.hints.lanes.add(lane);
}

function columns({ name, description, parameters, endpoint, registeredAt, maxConcurrency }: Tool) {
  return [name, description, JSON.stringify(parameters), endpoint, registeredAt, maxConcurrency] as const;
}

function toTool(row: ToolRow): Tool {
  return {
    name: row.name,
    description: row.description,
    parameters: readStored(row.parameters) as JsonObject,
    endpoint: row.endpoint,
    maxConcurrency: row.max_concurrency,
    registeredAt: row.registered_at,
  };
}

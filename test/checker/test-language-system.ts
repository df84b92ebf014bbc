import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@opspawn/contract";
import { Database } from "../../packages/ops-core/src/store/sqlite/database.ts";
import { openedOn } from "../../packages/ops-core/src/store/sqlite/test-rigs.ts";
import { step, workflow } from "../../packages/ops-core/src/store/suite/test-definitions.ts";
import {
  apply,
  decide,
  FAILS,
  ONCE,
  pass,
  signal,
  undoable,
  workers,
  workOff,
} from "../../packages/ops-core/src/store/suite/test-language.ts";
import { World } from "../../packages/ops-core/src/store/suite/test-world.ts";

const HOUR = 3_600_000_000;

const CHILD = workflow([{ taskId: "word", wait: { signal: "go" } }, undoable("inner")], { id: "child" });
const LIST = { forEach: ["a", "b", "c"], concurrency: 2, parameters: { do: "${{ item }}" } };
const TASKS: JsonObject[] = [
  undoable("first"),
  step("never", { when: "false" }),
  step("each", { ...LIST, compensate: { agentCapability: "undo", parameters: { undo: "${{ item }}" } } }),
  step("loop", { repeat: { until: "iteration == 1", maxIterations: 3 } }),
  { taskId: "call", workflow: { id: "child" } },
  { taskId: "ask", approval: { message: "Go?", timeout: "2h" } },
  { taskId: "pause", wait: { for: "1h" } },
  step("shaky", { parameters: { do: "shaky" }, fallback: "firm", ...ONCE }),
  step("last", { parameters: { do: "last" }, ...ONCE }),
  step("firm"),
];
/** What a session that has only just begun waits for. */
const WAITING: JsonObject[] = [
  { taskId: "ask", approval: { message: "Go?", timeout: "2h" }, dependsOn: [] },
  { taskId: "pause", wait: { for: "1h" }, dependsOn: [] },
  { taskId: "call", workflow: { id: "child" }, dependsOn: [] },
];

/**
 * A database in which a session with all kinds of steps has failed and was undone, one expired, one was cancelled with
 * what was below it, and one still waits.
 */
export async function languageSystem(): Promise<{ readonly folder: string; readonly database: string }> {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-language-"));
  const database = join(folder, "opspawn.db");
  const world = await World.open({
    open: async (ports) => {
      const db = new Database(database);
      return openedOn(db, ports, database, () => db.close());
    },
    remove: async () => undefined,
  });
  await workers(world);
  await apply(world, CHILD);
  await runAll(world);
  const expired = await world.start(
    workflow([{ taskId: "ask", approval: { message: "Go?", timeout: "1h" } }], { id: "b" }),
  );
  await pass(world, HOUR);
  await world.getSession(expired.id);
  const cancelled = await world.start(workflow(WAITING, { id: "c" }));
  await world.store.sessions.cancel(cancelled.id, "enough");
  await world.start(workflow(WAITING, { id: "d" }));
  await world.verify();
  await world.close();
  return { folder, database };
}

async function runAll(world: World): Promise<void> {
  const { id } = await world.start(workflow(TASKS, { id: "a", onFailure: "compensate" }));
  const work = async () => {
    // Nothing ends at the same time as anything else.
    await workOff(world, ({ do: name }) => {
      world.clock.advance(1);
      return name === "last" || name === "shaky" ? FAILS : (name ?? null);
    });
  };
  await work();
  const { items } = await world.store.sessions.list({ limit: 1 }, { parent: id });
  for (const child of items) await signal(world, child.id, "go");
  await work();
  await decide(world, id, true);
  await pass(world, HOUR);
  await work();
}

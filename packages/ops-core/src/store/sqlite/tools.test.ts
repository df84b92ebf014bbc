import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "../suite/test-world.ts";
import { KeptDatabase } from "./kept-database.ts";
import { rigOn } from "./test-rigs.ts";

const POST = { kind: "tool", tool: "post" } as const;

test("a slot that memory takes for free and the rows do not is given to no call of a tool", async () => {
  const db = new KeptDatabase();
  const w = await World.open(rigOn(db));
  await w.tool("post", { maxConcurrency: 2 });
  await w.tool("other", { maxConcurrency: 2 });
  await w.task({ requirement: POST });
  db.run("update tasks set slot = 1");
  // The same number of another tool is another slot.
  await w.raw.tasks.create(w.newTask({ requirement: { kind: "tool", tool: "other" } }));
  await assert.rejects(w.raw.tasks.create(w.newTask({ requirement: POST })), ({ cause }: Error) =>
    /slot 1 of tool post was thought to be free/.test(String(cause)),
  );
  // Memory is read anew, and finds the slot that is free.
  await w.task({ requirement: POST });
  assert.deepEqual(
    w.sent.map(({ tool }) => tool),
    ["post", "other", "post"],
  );
  await w.close();
});

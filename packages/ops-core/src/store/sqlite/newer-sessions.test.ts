import assert from "node:assert/strict";
import { test } from "node:test";
import { MINUTE } from "../../domain/clock.ts";
import { workflow } from "../suite/test-definitions.ts";
import { World } from "../suite/test-world.ts";
import { KeptDatabase } from "./kept-database.ts";
import { rigOn } from "./test-rigs.ts";

test("the deadline of a session in a newer format is left to a program that knows it, and others are judged", async () => {
  const db = new KeptDatabase();
  const world = await World.open(rigOn(db));
  const document = workflow([{ taskId: "nap", wait: { for: "9h" } }], { deadline: "1m" });
  const [newer, other] = [await world.start(document), await world.start(document)];
  await world.crash();
  db.run("update sessions set format = format + 1 where id = ?", newer.id);
  world.clock.advance(MINUTE);
  await world.expire();
  const statuses = [newer, other].map(async ({ id }) => (await world.getSession(id)).status);
  assert.deepEqual(await Promise.all(statuses), ["waiting", "failed"]);
  await world.close();
});

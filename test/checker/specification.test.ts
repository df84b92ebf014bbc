import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Database } from "../../packages/ops-core/src/store/sqlite/database.ts";
import { emptyData, openedOn } from "../../packages/ops-core/src/store/sqlite/test-rigs.ts";
import { LANGUAGE_SUITES } from "../../packages/ops-core/src/store/store.suite.ts";
import { World } from "../../packages/ops-core/src/store/suite/test-world.ts";
import { checkAll } from "./checker.ts";
import { evidenceOf, Rows } from "./evidence.ts";
import { findingsOf } from "./findings.ts";

/** What the checker knows by the words of agents and of HTTP, which nobody speaks here. */
const UNSPOKEN = new Set(["what follows a failed attempt, and after what time, is what the task's policy says"]);

/** Runs one part of the store's specification and judges what is left of it. */
async function judged(body: (world: World) => Promise<void>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-judged-"));
  const path = join(folder, "opspawn.db");
  writeFileSync(path, emptyData());
  try {
    const world = await World.open({
      open: async (ports) => {
        const db = new Database(path);
        db.exec("pragma synchronous = off");
        return { ...openedOn(db, ports, path, () => db.close()), audit: () => [] };
      },
      remove: async () => undefined,
    });
    await body(world);
    await world.close();
    const db = new Rows(path);
    const judgements = checkAll(evidenceOf({ db, isDrained: false }));
    db.close();
    return findingsOf({ judgements: judgements.filter(({ name }) => !UNSPOKEN.has(name)) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the checker finds nothing wrong with what the specification of the language leaves behind", async () => {
  const found: string[] = [];
  const scenarios: [string, (world: World) => Promise<void>][] = [];
  for (const suite of LANGUAGE_SUITES) suite((title, body) => scenarios.push([title, body]));
  for (const [title, body] of scenarios) {
    for (const finding of await judged(body)) found.push(`${title}: ${finding}`);
  }
  assert.deepEqual(found, []);
});

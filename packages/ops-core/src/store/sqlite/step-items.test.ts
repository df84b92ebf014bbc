import assert from "node:assert/strict";
import { test } from "node:test";
import { step, workflow } from "../suite/test-definitions.ts";
import { workers } from "../suite/test-language.ts";
import { World } from "../suite/test-world.ts";
import type { Values } from "./database.ts";
import { KeptDatabase } from "./kept-database.ts";
import { rigOn } from "./test-rigs.ts";

/** A connection that counts what it is asked, and how much text it is given. */
class CountingDatabase extends KeptDatabase {
  statements: string[] = [];
  text = 0;

  override run(
    sql: string,
    ...values: Parameters<KeptDatabase["run"]> extends [string, ...infer V] ? V : never
  ): number {
    this.count(sql, values);
    return super.run(sql, ...values);
  }

  override get<T>(sql: string, ...values: Values): T | undefined {
    this.count(sql, values);
    return super.get<T>(sql, ...values);
  }

  override all<T>(sql: string, ...values: Values): T[] {
    this.count(sql, values);
    return super.all<T>(sql, ...values);
  }

  /** While the connection is being made there is no account yet. */
  count(sql: string, values: readonly unknown[]): void {
    this.statements?.push(sql);
    for (const value of values) if (typeof value === "string") this.text += value.length;
  }
}

test("hole 6: an item costs the same statements and the same text, be it the tenth or the thousandth", async () => {
  const db = new CountingDatabase();
  const w = await World.open(rigOn(db));
  await workers(w);
  const list = Array.from({ length: 1_010 }, (_, i) => ({ number: 10_000 + i }));
  const each = step("each", { forEach: "input.list", concurrency: 2, parameters: { n: "${{ item.number }}" } });
  await w.raw.sessions.start(w.session(workflow([each]), { data: { list } }));
  const cost = async (): Promise<[statements: string[], text: number]> => {
    const sent = w.take();
    db.statements = [];
    db.text = 0;
    await w.raw.attempts.settle(sent.taskId, sent.token, { type: "succeeded", result: "1", evidence: "result" });
    return [db.statements, db.text];
  };
  const costs: Awaited<ReturnType<typeof cost>>[] = [];
  for (let item = 0; item < 1_008; item += 1) costs.push(await cost());
  const [[tenth, textOfTenth] = [], [thousandth, textOfThousandth] = []] = [costs[10], costs[1_000]];
  assert.deepEqual(thousandth, tenth);
  // Numbers of events and items grow by a digit or two.
  assert.ok(Math.abs((textOfThousandth ?? 0) - (textOfTenth ?? 0)) < 50, `${textOfTenth} and ${textOfThousandth}`);
  assert.ok((tenth?.length ?? 0) < 25, tenth?.join("\n"));
  await w.close();
});

test("a step in a long chain costs the same statements, be it the tenth or the four hundredth", async () => {
  const db = new CountingDatabase();
  const w = await World.open(rigOn(db));
  await workers(w);
  const steps = Array.from({ length: 410 }, (_, i) => step(`s${i}`, { when: "true", parameters: { n: "x" } }));
  await w.raw.sessions.start(w.session(workflow(steps)));
  const costs: string[][] = [];
  for (let n = 0; n < 405; n += 1) {
    const sent = w.take();
    db.statements = [];
    await w.raw.attempts.settle(sent.taskId, sent.token, { type: "succeeded", result: "1", evidence: "result" });
    costs.push(db.statements);
  }
  assert.deepEqual(costs[400], costs[10]);
  await w.close();
});

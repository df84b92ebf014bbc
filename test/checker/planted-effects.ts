import assert from "node:assert/strict";
import type { Planted } from "./planted-left.ts";

/** What was done to effects. */
export const PLANTED_EFFECTS: readonly Planted[] = [
  [
    "something was done outside under a key of the agent's own",
    "an effect of a task is done once, under one key, whichever attempts ask for it",
    (left) => {
      const [done] = left.effects.filter((entry) => entry.type === "effect");
      assert.ok(done !== undefined);
      const { at, agent, key: task, attempt } = done;
      const outside = { type: "outside", at, agent, task, attempt, effect: "pay", key: "mine", known: false } as const;
      left.effects = [...left.effects, outside];
    },
  ],
  [
    "a task is completed and what it announced is open",
    "an effect that nobody told the end of belongs to what is uncertain, or was cancelled",
    ({ db }) =>
      db.exec(`insert into effects (task_id, effect_id, status, attempt, announced_at)
        select id, 'pay', 'intended', 1, 1 from tasks where status = 'completed'`),
  ],
  [
    "a task counts an effect that it has not announced",
    "a task counts its open effects",
    ({ db }) => db.exec("update tasks set open_effects = 1"),
  ],
];

import type { NamedMutant } from "./named-mutant.ts";

/** Bugs in what agents announce, and in what is done when nobody knows the end of it. */
export const EFFECTS: readonly NamedMutant[] = [
  {
    name: "key-per-attempt",
    is: "each attempt gets another key for the same effect",
    rule: "15",
    file: "store/sqlite/effect-row.ts",
    changes: [
      {
        from: "key: effectKey(row.task_id, row.effect_id),",
        to: "key: effectKey(row.task_id, row.effect_id + row.attempt),",
      },
    ],
  },
  {
    name: "doubt-forgotten",
    is: "what announced an effect and died is tried again whatever its step says",
    rule: "15",
    file: "store/sqlite/task-failure.ts",
    changes: [
      {
        from: "  if (found === undefined) return false;",
        to: "  if (found === undefined || task.used + 1 < task.max) return false;",
      },
    ],
  },
  {
    name: "uncertain-is-failed",
    is: "a task that ran out of attempts with an open effect has failed like any other",
    rule: "15",
    file: "store/sqlite/task-failure.ts",
    changes: [
      {
        from: "  const error = task.open_effects > 0 && last.uncertain !== true ?",
        to: "  const error = task.open_effects > 1 && last.uncertain !== true ?",
      },
    ],
  },
  {
    name: "effects-miscounted",
    is: "an effect that is announced again after it was not done is not counted as open",
    rule: "15",
    file: "store/sqlite/effects.ts",
    changes: [
      {
        from: '  if (before.status !== "intended") changeTask(tx, task, { open_effects: task.open_effects + 1 });',
        to: "",
      },
    ],
  },
];

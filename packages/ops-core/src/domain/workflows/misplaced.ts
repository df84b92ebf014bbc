import type { Fields } from "./fields.ts";
import { KIND_FIELDS } from "./step-kinds.ts";

/** Fields of tasks that change what runs. */
const OF_TASKS: readonly string[] = [
  ...KIND_FIELDS,
  "when",
  "forEach",
  "concurrency",
  "onItemError",
  "repeat",
  "compensate",
];
const OF_WAITS: readonly string[] = ["onReject", "onTimeout"];

/**
 * Fields of the language that stand where they say nothing. They are refused in the originals' documents too, which may
 * hold any other unknown field: whoever writes them counts on a step that waits, repeats, or does not run.
 */
export const MISPLACED_IN_WORKFLOW: readonly string[] = [...OF_TASKS, ...OF_WAITS];
export const MISPLACED_IN_STEP: readonly string[] = OF_WAITS;

export function refuseMisplaced(fields: Fields, names: readonly string[]): void {
  for (const name of names) {
    if (fields.value(name) === undefined) continue;
    const place = OF_TASKS.includes(name) ? "a task" : "`approval` or `wait`";
    fields.refuse(name, "unknown_field", `"${name}" belongs inside ${place}`);
  }
}

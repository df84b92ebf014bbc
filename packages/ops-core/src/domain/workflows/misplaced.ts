import type { Fields } from "./fields.ts";
import { KIND_FIELDS } from "./step-kinds.ts";

/** Fields of tasks that change what runs. */
const OF_TASKS: readonly string[] = [...KIND_FIELDS, "when", "forEach", "onItemError", "repeat", "compensate"];
const OF_WAITS: readonly string[] = ["onReject", "onTimeout"];

/**
 * Refuses fields of the language that stand where they say nothing. They are refused in the originals' documents too,
 * which may hold any other unknown field: whoever writes them counts on a step that waits, repeats, or does not run.
 * @returns the fields refused
 */
export function refuseMisplaced(fields: Fields, place: "workflow" | "task"): string[] {
  const names = place === "workflow" ? [...OF_TASKS, ...OF_WAITS] : OF_WAITS;
  const found = names.filter((name) => fields.value(name) !== undefined);
  for (const name of found) {
    const belongs = OF_TASKS.includes(name) ? "in a task" : "inside `approval` or `wait`";
    fields.refuse(name, "unknown_field", `"${name}" belongs ${belongs}`);
  }
  return found;
}

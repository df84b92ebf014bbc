import type { TaskError } from "../tasks/task.ts";
import type { Items } from "./advance.ts";
import type { PlanStep } from "./plan.ts";

export function beginItems(total: number): Items {
  return { total, next: 0, open: 0, failed: 0, failure: null };
}

/** Whether the next item may begin now. After a failure that fails the step none may. */
export function mayBegin(step: PlanStep, items: Items): boolean {
  if (step.forEach === null || items.next >= items.total) return false;
  if (items.failed > 0 && step.forEach.onItemError === "fail") return false;
  return items.open < step.forEach.concurrency;
}

/** An item has ended; with an error it failed. */
export function afterItem(items: Items, item: number, error: TaskError | null): Items {
  const open = items.open - 1;
  if (error === null) return { ...items, open };
  const failure = items.failure ?? { ...error, message: `item ${item}: ${error.message}` };
  return { ...items, open, failed: items.failed + 1, failure };
}

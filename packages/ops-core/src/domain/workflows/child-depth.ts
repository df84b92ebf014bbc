import type { TaskError } from "../tasks/task.ts";
import { CHILD_DEPTH_MAX } from "./limits.ts";

/**
 * Why a session may not start a child, as the error its step fails with; null when it may.
 * @param depth how many sessions the child would stand inside: 1 for the child of a session that has no parent
 */
export function childRefusal(depth: number): TaskError | null {
  if (depth <= CHILD_DEPTH_MAX) return null;
  const message = `A workflow may start others ${CHILD_DEPTH_MAX} levels deep, and this would be level ${depth}.`;
  return { code: "nesting_too_deep", message, retryable: false };
}

import { chanceOf } from "../workload.ts";
import { LIMITED_WORKFLOW, limitedResult } from "./limited.ts";
import { PAYING_WORKFLOW, payingResult } from "./paying.ts";
import { CHILD_WORKFLOW, isUndone, PLAIN_WORKFLOW, plainResult } from "./plain.ts";
import { isDoomed, STOPPING_WORKFLOW, stoppingResult } from "./stopping.ts";

export const WORKFLOWS = [CHILD_WORKFLOW, PLAIN_WORKFLOW, LIMITED_WORKFLOW, PAYING_WORKFLOW, STOPPING_WORKFLOW];

export interface SessionPlan {
  readonly workflowId: string;
  /** How it ends unless it is cancelled, and with which result. */
  readonly outcome: "completed" | "failed";
  readonly expected: number | null;
  /** Milliseconds after its start at which it is cancelled, while it runs or too late; null: it is not. */
  readonly cancelAfter: number | null;
}

/** What becomes of session `n`: of ten, six are plain ones, two limited, one pays and one is mostly called off. */
export function planOf(n: number): SessionPlan {
  switch (n % 10) {
    case 1:
    case 6:
      return plan(n, LIMITED_WORKFLOW.id, limitedResult(n), { share: 0.1, from: 300, to: 4_000 });
    case 4:
      return plan(n, PAYING_WORKFLOW.id, payingResult(n), { share: 0.15, from: 50, to: 1_000 });
    case 8:
      return plan(n, STOPPING_WORKFLOW.id, stoppingResult(n), { share: isDoomed(n) ? 1 : 0, from: 300, to: 2_500 });
    default: {
      const plain = plan(n, PLAIN_WORKFLOW.id, plainResult(n), { share: 0.03, from: 0, to: 5_000 });
      return isUndone(n) ? { ...plain, outcome: "failed" } : plain;
    }
  }
}

interface Cancelling {
  readonly share: number;
  readonly from: number;
  readonly to: number;
}

function plan(n: number, workflowId: string, expected: number | null, { share, from, to }: Cancelling): SessionPlan {
  const isCancelled = chanceOf(`cancel ${n}`) < share;
  const cancelAfter = isCancelled ? from + chanceOf(`cancel ${n} at`) * (to - from) : null;
  return { workflowId, outcome: "completed", expected, cancelAfter };
}

import type { HttpResult } from "../../domain/http-client.ts";
import { readAnswer } from "../../domain/tasks/answer.ts";
import type { AttemptOutcome } from "../../domain/tasks/task.ts";

/** What the end of an exchange says about an attempt. */
export type ExchangeEnd =
  /** The agent has the task, or somebody who will see that it gets it. */
  | { readonly kind: "acknowledged" }
  | { readonly kind: "outcome"; readonly outcome: AttemptOutcome }
  /** The agent certainly does not have it. */
  | { readonly kind: "undelivered"; readonly message: string }
  /** It may have it: to be sent again under the same token. */
  | { readonly kind: "broken"; readonly message: string };

/** Reads how an exchange with the agent itself ended. */
export function agentEnd(result: HttpResult, send: number, now: number): ExchangeEnd {
  switch (result.kind) {
    case "response": {
      const outcome = readAnswer(result, send, now);
      return outcome === null ? { kind: "acknowledged" } : { kind: "outcome", outcome };
    }
    case "refused":
      return { kind: "outcome", outcome: rejected("endpoint_refused", result.reason) };
    case "unsent":
      return { kind: "undelivered", message: result.error.message };
    case "broken":
      // A timeout too: the store judges it, since it knows whether this process was deaf meanwhile.
      return { kind: "broken", message: result.error.message };
  }
}

export function rejected(code: string, message: string): AttemptOutcome {
  return { type: "failed", reason: "rejected", error: { code, message, retryable: false }, evidence: null };
}

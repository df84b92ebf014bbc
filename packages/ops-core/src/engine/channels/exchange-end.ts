import type { HttpResponse, HttpResult } from "../../domain/http-client.ts";
import { readAnswer, rejected } from "../../domain/tasks/answer.ts";
import type { AttemptOutcome, ClaimedAttempt } from "../../domain/tasks/task.ts";
import { readToolAnswer } from "../../domain/tools/answer.ts";

/** What the end of an exchange says about an attempt. */
export type ExchangeEnd =
  /** The agent has the task, or somebody who will see that it gets it. */
  | { readonly kind: "acknowledged" }
  | { readonly kind: "outcome"; readonly outcome: AttemptOutcome }
  /** The agent certainly does not have it. */
  | { readonly kind: "undelivered"; readonly message: string }
  /** It may have it: to be sent again under the same token. */
  | { readonly kind: "broken"; readonly message: string }
  /** It has it from an earlier send, and is still at it: to be sent again for the outcome. */
  | { readonly kind: "at_work"; readonly message: string };

/** Reads how an exchange with the agent itself ended. */
export function agentEnd(result: HttpResult, send: number, now: number): ExchangeEnd {
  return exchangeEnd(result, (response) => {
    const outcome = readAnswer(response, send, now);
    return outcome === null ? { kind: "acknowledged" } : { kind: "outcome", outcome };
  });
}

/**
 * Reads how the call of a tool ended. All sends of a task have one key: whoever is still at an earlier one may say 409
 * or 425 to the next, and is asked again, since nobody but its answer brings the outcome.
 */
export function toolEnd(
  result: HttpResult,
  { attempt, send }: Pick<ClaimedAttempt, "attempt" | "send">,
  now: number,
): ExchangeEnd {
  return exchangeEnd(result, (response) => {
    const isAtIt = response.status === 409 || response.status === 425;
    if (isAtIt && (attempt > 1 || send > 1)) {
      return { kind: "at_work", message: `The tool answered ${response.status} to a repeated call.` };
    }
    return { kind: "outcome", outcome: readToolAnswer(response, now) };
  });
}

function exchangeEnd(result: HttpResult, read: (response: HttpResponse) => ExchangeEnd): ExchangeEnd {
  switch (result.kind) {
    case "response":
      return read(result);
    case "refused":
      return { kind: "outcome", outcome: rejected("endpoint_refused", result.reason) };
    case "unsent":
      return { kind: "undelivered", message: result.error.message };
    case "broken":
      // A timeout too: the store judges it, since it knows whether this process was deaf meanwhile.
      return { kind: "broken", message: result.error.message };
  }
}

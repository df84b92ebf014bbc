import type { ServerResponse } from "node:http";
import type { Actor, Context } from "../domain/context.ts";

/** An HTTP request as operations see it. */
export class RequestContext implements Context {
  readonly actor: Actor;
  readonly requestId: string;
  readonly idempotencyKey: string | undefined;
  replayed = false;
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(actor: Actor, requestId: string, idempotencyKey: string | undefined, response: ServerResponse) {
    this.actor = actor;
    this.requestId = requestId;
    this.idempotencyKey = idempotencyKey;
    this.#response = response;
  }

  /** Made when it is asked for: most requests never wait. */
  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.#response);
    return this.#signal;
  }
}

function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  else {
    response.once("close", () => {
      // An answer that was sent leaves nothing to give up, and aborting costs a stack trace.
      if (!response.writableFinished) controller.abort();
    });
  }
  return controller.signal;
}

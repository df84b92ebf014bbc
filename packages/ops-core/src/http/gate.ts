import type { ServerResponse } from "node:http";
import { OpspawnError } from "@opspawn/contract";
import type { FastifyInstance } from "fastify";
import type { Authenticator } from "../auth/authenticator.ts";
import { type Asked, authorize } from "../auth/authorize.ts";
import type { Actor } from "../domain/context.ts";
import type { Call } from "./call.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import type { RateCaps } from "./rate-caps.ts";
import { RequestContext } from "./request-context.ts";
import { PROBES } from "./traffic.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** A task's token is a credential here; such requests are counted by task. */
    token?: boolean;
  }
}

interface Params {
  readonly agentId?: string;
  readonly taskId?: string;
}

/** Where requests become operations' contexts: who asks, how often they may, and whether they may at all. */
export class Gate {
  readonly #authenticator: Authenticator;
  readonly #caps: RateCaps;

  constructor(authenticator: Authenticator, caps: RateCaps) {
    this.#authenticator = authenticator;
    this.#caps = caps;
  }

  /** Counts requests without a key before anything is read of them. */
  watch(app: FastifyInstance): void {
    app.addHook("onRequest", (request, _reply, done) => {
      if (request.headers.authorization !== undefined || PROBES.has(request.url)) return done();
      try {
        if (request.routeOptions.config?.token === true) this.#caps.checkAddress(request.ip);
        else this.#caps.countAddress(request.ip);
        done();
      } catch (error) {
        done(error as Error);
      }
    });
  }

  /**
   * Who asks, if they may. Strangers are not told what a good request looks like: this comes before their input is
   * judged, and the operation itself decides again, for every transport.
   * @throws OpspawnError `unauthenticated`, `forbidden`, `rate_limited`, `invalid_request` for a bad Idempotency-Key
   */
  enter(call: Call, response: ServerResponse, asked: Asked): RequestContext | Promise<RequestContext> {
    const actor = this.#actorOf(call);
    return actor instanceof Promise
      ? actor.then((known) => this.#admit(known, call, response, asked))
      : this.#admit(actor, call, response, asked);
  }

  #admit(actor: Actor, call: Call, response: ServerResponse, asked: Asked): RequestContext {
    const { agentId, taskId = "" } = call.params as Params;
    if (asked.permission.token === true) this.#caps.countTask(actor, taskId);
    else this.#caps.countActor(actor);
    const key = readIdempotencyKey(call.headers["idempotency-key"]);
    const context = new RequestContext(actor, call.id, key, response);
    authorize(actor, asked, { agentId });
    return context;
  }

  /**
   * Whether who is being answered for a long time may still ask this: keys are revoked, and they end.
   * @throws OpspawnError `unauthenticated`, `forbidden`
   */
  async checkAgain({ headers, raw, params }: Call, asked: Asked): Promise<void> {
    const actor = await this.#authenticator.authenticate(headers, raw.socket);
    authorize(actor, asked, { agentId: (params as Params).agentId });
  }

  /** A request that came in under a task's token has failed; refusals count against the caller. */
  failed({ actor }: RequestContext, { ip }: Call, error: unknown): void {
    if (error instanceof OpspawnError && error.status < 500) this.#caps.countRefusal(actor, ip);
  }

  #actorOf(call: Call): Actor | Promise<Actor> {
    // A key that is none is no key: guessing is not free.
    const refuse = (error: unknown): never => {
      if (error instanceof OpspawnError && error.code === "unauthenticated") this.#caps.countAddress(call.ip);
      throw error;
    };
    try {
      const found = this.#authenticator.authenticate(call.headers, call.raw.socket);
      return found instanceof Promise ? found.catch(refuse) : found;
    } catch (error) {
      return refuse(error);
    }
  }
}

import { OpspawnError } from "@opspawn/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Authenticator } from "../auth/authenticator.ts";
import { type Asked, authorize } from "../auth/authorize.ts";
import type { Actor } from "../domain/context.ts";
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
  async enter(request: FastifyRequest, reply: FastifyReply, asked: Asked): Promise<RequestContext> {
    const actor = await this.#actorOf(request);
    const params = request.params as Params;
    if (asked.permission.token === true) this.#caps.countTask(actor, params.taskId ?? "");
    else this.#caps.countActor(actor);
    const context = new RequestContext(
      actor,
      request.id,
      readIdempotencyKey(request.headers["idempotency-key"]),
      reply.raw,
    );
    authorize(actor, asked, { agentId: params.agentId });
    return context;
  }

  /** A request that came in under a task's token has failed; refusals count against the caller. */
  failed({ actor }: RequestContext, request: FastifyRequest, error: unknown): void {
    if (error instanceof OpspawnError && error.status < 500) this.#caps.countRefusal(actor, request.ip);
  }

  async #actorOf(request: FastifyRequest): Promise<Actor> {
    try {
      const found = this.#authenticator.authenticate(request.headers);
      return found instanceof Promise ? await found : found;
    } catch (error) {
      // A key that is none is no key: guessing is not free.
      if (error instanceof OpspawnError && error.code === "unauthenticated") this.#caps.countAddress(request.ip);
      throw error;
    }
  }
}

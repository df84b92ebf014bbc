import { hash, timingSafeEqual } from "node:crypto";
import { OpspawnError } from "@opspawn/contract";
import type { ApiKey } from "../domain/auth/key.ts";
import { type Clock, SECOND } from "../domain/clock.ts";
import type { Actor, OpenGroup } from "../domain/context.ts";
import type { KeyStore } from "../domain/store.ts";
import { INVALID } from "./authorize.ts";
import { readKeyText, secretHash } from "./key-text.ts";
import { isSameSite, type Origin } from "./same-site.ts";

/** For so long a verified key is believed without asking the store; a revocation elsewhere is seen within 5 s. */
const BELIEVED_FOR = 4 * SECOND;
const CACHE_MAX = 10_000;
const NO_SCOPES: Actor["scopes"] = [];

export interface AuthenticatorOptions {
  readonly keys: Pick<KeyStore, "get" | "used">;
  readonly clock: Clock;
  /** `OPSCORE_API_KEY`: any text, covers everything; null = none. */
  readonly operatorKey: string | null;
  /** What callers without a key may do on this bind. */
  readonly open: readonly OpenGroup[];
  /** True when only this machine can reach us: then the browser is the way in that must be closed. */
  readonly loopback: boolean;
}

/** The parts of a request that say who asks. */
export interface Credentials extends Origin {
  readonly authorization?: string | undefined;
}

interface Believed {
  readonly actor: Actor;
  readonly expiresAt: number | null;
  readonly until: number;
}

/** What a connection said last, and whom that made it. */
interface Heard {
  readonly authorization: string;
  readonly believed: Believed;
}

/** Finds out who asks. A verified key costs one hash and one look into memory; again on its connection, no hash. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #operator: { readonly digest: Buffer; readonly actor: Actor } | null;
  readonly #anonymous: Actor;
  readonly #stranger: Actor;
  /** By the digest of the whole key, so that looking up says nothing about the secret. */
  readonly #believed = new Map<string, Believed>();
  /** Compared with what the same connection said itself, so that neither this says anything about a secret. */
  #heard = new WeakMap<object, Heard>();
  /** How often everything was forgotten; an answer of the store from before must not be believed after. */
  #forgotten = 0;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    const { operatorKey } = options;
    this.#operator =
      operatorKey === null
        ? null
        : {
            digest: Buffer.from(digestOf(operatorKey), "latin1"),
            actor: actorOf({ id: "operator", name: "operator", scopes: ["admin"], agentId: null }),
          };
    this.#anonymous = {
      kind: "anonymous",
      id: "anonymous",
      name: "anonymous",
      scopes: NO_SCOPES,
      agentId: null,
      open: options.open,
    };
    this.#stranger = { ...this.#anonymous, open: [] };
  }

  /**
   * Who asks. The answer comes at once when the key was verified lately.
   * @param connection what the request came in on
   * @throws OpspawnError `unauthenticated` when a credential was sent that is none
   */
  authenticate(credentials: Credentials, connection: object): Actor | Promise<Actor> {
    const { authorization } = credentials;
    if (authorization === undefined) {
      return isSameSite(credentials, this.#options.loopback) ? this.#anonymous : this.#stranger;
    }
    const now = this.#options.clock.now();
    const heard = this.#heard.get(connection);
    if (heard?.authorization === authorization && isBelieved(heard.believed, now)) return heard.believed.actor;
    const text = bearer(authorization);
    const id = digestOf(text);
    if (this.#operator !== null && timingSafeEqual(Buffer.from(id, "latin1"), this.#operator.digest)) {
      return this.#operator.actor;
    }
    const believed = this.#believed.get(id);
    if (believed === undefined || !isBelieved(believed, now)) return this.#verify(text, id);
    this.#heard.set(connection, { authorization, believed });
    return believed.actor;
  }

  /** Believes no key any more before the store was asked again: some were revoked. */
  forget(): void {
    this.#forgotten += 1;
    this.#believed.clear();
    this.#heard = new WeakMap();
  }

  async #verify(text: string, id: string): Promise<Actor> {
    const forgotten = this.#forgotten;
    this.#believed.delete(id);
    const shown = readKeyText(text);
    const key = shown === null ? null : await this.#options.keys.get(shown.id);
    const now = this.#options.clock.now();
    if (shown === null || key === null || !matches(key, shown.secret) || isEnded(key, now)) throw invalid();
    const actor = actorOf(key);
    // That it could not be written is no reason to refuse a good key: it is tried again with the next look.
    this.#options.keys.used(key).catch(() => undefined);
    if (this.#believed.size >= CACHE_MAX) this.#believed.clear();
    if (forgotten === this.#forgotten) {
      this.#believed.set(id, { actor, expiresAt: key.expiresAt, until: now + BELIEVED_FOR });
    }
    return actor;
  }
}

function actorOf({ id, name, scopes, agentId }: Pick<ApiKey, "id" | "name" | "scopes" | "agentId">): Actor {
  return { kind: "key", id, name, scopes, agentId, open: [] };
}

/** As the originals read it: the scheme in any case, then exactly what follows the first blank. */
function bearer(authorization: string): string {
  const blank = authorization.indexOf(" ");
  if (blank === -1 || authorization.slice(0, blank).toLowerCase() !== "bearer") throw invalid();
  return authorization.slice(blank + 1);
}

/** One byte per character: as text it costs a third of what it costs as a buffer. */
function digestOf(text: string): string {
  return hash("sha256", text, "binary");
}

function matches(key: ApiKey, secret: string): boolean {
  const stored = Buffer.from(key.hash, "hex");
  const shown = Buffer.from(secretHash(secret), "hex");
  return stored.length === shown.length && timingSafeEqual(stored, shown);
}

function isBelieved(believed: Believed, now: number): boolean {
  return now < believed.until && !isExpired(believed, now);
}

function isEnded(key: ApiKey, now: number): boolean {
  return key.revokedAt !== null || isExpired(key, now);
}

function isExpired(key: Pick<ApiKey, "expiresAt">, now: number): boolean {
  return key.expiresAt !== null && now >= key.expiresAt;
}

function invalid(): OpspawnError {
  return new OpspawnError("unauthenticated", INVALID);
}

import { createHmac, timingSafeEqual } from "node:crypto";
import { OpspawnError } from "./errors.ts";

/**
 * Webhook signatures, made and checked. Two schemes travel side by side: AgentKit's own headers, and Standard Webhooks.
 *
 * A secret is text. One that starts with `whsec_` holds base64: Standard Webhooks signs with the decoded bytes, as its
 * specification says. AgentKit's scheme always signs with the text itself, as the original did.
 */

/** How far the signer's clock may be from ours, either way, in seconds. */
export const SIGNATURE_TOLERANCE = 300;

const DIGEST_BYTES = 32;
const SECOND = 1_000_000;
const STANDARD_PREFIX = "whsec_";
/** A sender in the middle of a rotation lists a few; more is no honest header. */
const MAX_SIGNATURES = 16;
const UNIX_SECONDS = /^[1-9]\d{0,11}$/;
/** Without a full stop: the signed text is `id.timestamp.body`, and the parts must not be movable. */
const MESSAGE_ID = /^[\x21-\x2d\x2f-\x7e]{1,256}$/;
const HEX_DIGEST = /^[0-9a-fA-F]{64}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Header names of both schemes, as received (lower case). */
export const SIGNATURE_HEADERS = {
  agentKitTimestamp: "x-agentkit-timestamp",
  agentKitSignature: "x-agentkit-signature",
  standardId: "webhook-id",
  standardTimestamp: "webhook-timestamp",
  standardSignature: "webhook-signature",
} as const;

export interface SignedMessage {
  /** The bytes on the wire; a string stands for its UTF-8 bytes. */
  readonly body: string | Uint8Array;
  /** Microseconds since the epoch. */
  readonly now: number;
}

/** Why a signature was refused; `expired` covers clocks that run ahead too. */
export type SignatureProblem = "missing" | "malformed" | "expired" | "mismatch";

/** `replayKey` is the same for two messages only if one is a copy of the other. */
export type SignatureVerdict =
  | { readonly ok: true; readonly replayKey: string }
  | { readonly ok: false; readonly problem: SignatureProblem };

/**
 * Signs as the original AgentKit does: lower-case hex of HMAC-SHA256 over `timestamp.body`.
 * @param message.secret the newest live secret; this scheme has room for one signature only
 */
export function signAgentKit(message: SignedMessage & { readonly secret: string }): Record<string, string> {
  const timestamp = unixSeconds(message.now);
  return {
    "X-AgentKit-Timestamp": timestamp,
    "X-AgentKit-Signature": agentKitDigest(message.secret, timestamp, message.body).toString("hex"),
  };
}

/**
 * Checks AgentKit's two headers against every live secret.
 * @param message.timestamp the `X-AgentKit-Timestamp` header, `undefined` when absent
 * @param message.signature the `X-AgentKit-Signature` header, `undefined` when absent
 */
export function verifyAgentKit(
  message: SignedMessage & {
    readonly secrets: readonly string[];
    readonly timestamp: string | undefined;
    readonly signature: string | undefined;
  },
): SignatureVerdict {
  const { timestamp, signature, body, now } = message;
  if (timestamp === undefined || signature === undefined) return refused("missing");
  if (!UNIX_SECONDS.test(timestamp) || !HEX_DIGEST.test(signature)) return refused("malformed");
  if (!isFresh(timestamp, now)) return refused("expired");
  const presented = [Buffer.from(signature, "hex")];
  const digests = message.secrets.map((secret) => agentKitDigest(secret, timestamp, body));
  if (!anyEqual(digests, presented)) return refused("mismatch");
  return { ok: true, replayKey: `agentkit.${signature.toLowerCase()}` };
}

/**
 * Signs by Standard Webhooks, once with each live secret, so that receivers may rotate at their own time.
 * @param message.id the same for every try at one message; no full stop, no blanks
 * @param message.secrets without any, only the id and the time are sent: receivers tell copies by the id
 */
export function signStandardWebhook(
  message: SignedMessage & { readonly secrets: readonly string[]; readonly id: string },
): Record<string, string> {
  const { id, body, secrets } = message;
  if (!MESSAGE_ID.test(id)) throw new OpspawnError("invalid_request", `"${id}" cannot be a webhook id.`);
  const timestamp = unixSeconds(message.now);
  const headers = { "webhook-id": id, "webhook-timestamp": timestamp };
  if (secrets.length === 0) return headers;
  const signatures = secrets.map((secret) => `v1,${standardDigest(secret, id, timestamp, body).toString("base64")}`);
  return { ...headers, "webhook-signature": signatures.join(" ") };
}

/**
 * Checks the three headers of Standard Webhooks against every live secret; signatures of versions other than `v1` are
 * passed over. A second try of one message has the same id but another timestamp, so it is no replay.
 */
export function verifyStandardWebhook(
  message: SignedMessage & {
    readonly secrets: readonly string[];
    readonly id: string | undefined;
    readonly timestamp: string | undefined;
    readonly signature: string | undefined;
  },
): SignatureVerdict {
  const { id, timestamp, signature, body, now } = message;
  if (id === undefined || timestamp === undefined || signature === undefined) return refused("missing");
  const presented = standardSignatures(signature);
  if (!MESSAGE_ID.test(id) || !UNIX_SECONDS.test(timestamp) || presented === null) return refused("malformed");
  if (!isFresh(timestamp, now)) return refused("expired");
  const digests = message.secrets.map((secret) => standardDigest(secret, id, timestamp, body));
  if (!anyEqual(digests, presented)) return refused("mismatch");
  return { ok: true, replayKey: `standard.${id}.${timestamp}` };
}

/**
 * Refuses a secret that could not sign: empty, or `whsec_` before something that is not base64.
 * @throws OpspawnError `invalid_request`; the message does not repeat the secret
 */
export function checkWebhookSecret(secret: string): void {
  if (secret === "") throw new OpspawnError("invalid_request", "A webhook secret must not be empty.");
  if (secret.startsWith(STANDARD_PREFIX) && !BASE64.test(secret.slice(STANDARD_PREFIX.length))) {
    throw new OpspawnError("invalid_request", "A webhook secret that starts with whsec_ must go on in base64.");
  }
}

function refused(problem: SignatureProblem): SignatureVerdict {
  return { ok: false, problem };
}

function unixSeconds(now: number): string {
  return String(Math.floor(now / SECOND));
}

function isFresh(timestamp: string, now: number): boolean {
  return Math.abs(now - Number(timestamp) * SECOND) <= SIGNATURE_TOLERANCE * SECOND;
}

function agentKitDigest(secret: string, timestamp: string, body: string | Uint8Array): Buffer {
  checkWebhookSecret(secret);
  return createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest();
}

function standardDigest(secret: string, id: string, timestamp: string, body: string | Uint8Array): Buffer {
  checkWebhookSecret(secret);
  const isEncoded = secret.startsWith(STANDARD_PREFIX);
  const key = isEncoded ? Buffer.from(secret.slice(STANDARD_PREFIX.length), "base64") : secret;
  return createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
}

/** The `v1` digests of a `webhook-signature` header; null when it is not a list of `version,signature`. */
function standardSignatures(header: string): Buffer[] | null {
  const entries = header.split(" ", MAX_SIGNATURES + 1);
  if (entries.length > MAX_SIGNATURES) return null;
  const digests: Buffer[] = [];
  for (const entry of entries) {
    const comma = entry.indexOf(",");
    if (comma < 1) return null;
    if (entry.slice(0, comma) !== "v1") continue;
    const text = entry.slice(comma + 1);
    const digest = Buffer.from(text, "base64");
    if (!BASE64.test(text) || digest.length !== DIGEST_BYTES) return null;
    digests.push(digest);
  }
  return digests;
}

/** Both sides always have 32 bytes here, and no pair is skipped, so the time taken tells nothing about the secret. */
function anyEqual(expected: readonly Buffer[], presented: readonly Buffer[]): boolean {
  let found = false;
  for (const digest of expected) {
    for (const candidate of presented) found = timingSafeEqual(digest, candidate) || found;
  }
  return found;
}

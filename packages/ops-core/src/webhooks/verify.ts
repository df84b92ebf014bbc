import {
  OpspawnError,
  SIGNATURE_HEADERS,
  SIGNATURE_TOLERANCE,
  type SignatureProblem,
  type SignatureVerdict,
  verifyAgentKit,
  verifyStandardWebhook,
} from "@opspawn/contract";
import { type Clock, SECOND } from "../domain/clock.ts";
import type { ReplayLog } from "../domain/webhooks/replay-log.ts";

export interface IncomingWebhook {
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The bytes as they came in. */
  readonly body: Uint8Array;
}

export interface WebhookRules {
  /** Live secrets, newest first. None at all: every message is accepted, unsigned. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly replays: ReplayLog;
  /** Bytes of a body; default 1 MB. */
  readonly maxBytes?: number;
}

export interface ReceivedWebhook<Payload> {
  /** False only when no secret is set. */
  readonly isSigned: boolean;
  readonly payload: Payload;
}

const MAX_BYTES = 1_048_576;

/** A message stays good for the tolerance after its own time, which may lie a tolerance ahead of ours. */
const REMEMBERED = 2 * SIGNATURE_TOLERANCE * SECOND;

const PROBLEMS: Record<SignatureProblem, string> = {
  missing: "The message is not signed, and a secret is set.",
  malformed: "The signature headers are not well-formed.",
  expired: `The message was signed more than ${SIGNATURE_TOLERANCE} seconds ago, or ahead.`,
  mismatch: "The signature does not fit the message.",
};

/**
 * Takes in a signed message: its size first, then its signature over the raw bytes, then whether it was here before, and
 * only then its content. Both schemes of `@opspawn/contract` are understood; all that are presented must hold.
 * @param parse reads the content; called only for a message that passed everything else
 * @throws OpspawnError `body_too_large`, `signature_invalid`, `signature_replayed`, and whatever `parse` throws
 */
export async function receiveWebhook<Payload>(
  message: IncomingWebhook,
  rules: WebhookRules,
  parse: (body: Uint8Array) => Payload,
): Promise<ReceivedWebhook<Payload>> {
  const maxBytes = rules.maxBytes ?? MAX_BYTES;
  if (message.body.byteLength > maxBytes) {
    throw new OpspawnError("body_too_large", `The message is longer than ${maxBytes} bytes.`);
  }
  const isSigned = rules.secrets.length > 0;
  if (isSigned) await checkSignature(message, rules);
  return { isSigned, payload: parse(message.body) };
}

async function checkSignature(message: IncomingWebhook, rules: WebhookRules): Promise<void> {
  const now = rules.clock.now();
  const keys = verdicts(message, rules.secrets, now).map((verdict) => {
    if (verdict.ok) return verdict.replayKey;
    throw new OpspawnError("signature_invalid", PROBLEMS[verdict.problem]);
  });
  // All of them, before any is judged: a copy may come back with the headers of one scheme only.
  const fresh = await Promise.all(keys.map((key) => rules.replays.remember(key, now + REMEMBERED)));
  if (fresh.includes(false)) {
    throw new OpspawnError("signature_replayed", "This signed message was received before.");
  }
}

/** One for each scheme of which any header is there; a message without any is missing its signature. */
function verdicts(message: IncomingWebhook, secrets: readonly string[], now: number): SignatureVerdict[] {
  const names = SIGNATURE_HEADERS;
  const read = (name: string) => single(message.headers[name]);
  const signed = { secrets, body: message.body, now };
  const agentKit = { timestamp: read(names.agentKitTimestamp), signature: read(names.agentKitSignature) };
  const standard = {
    id: read(names.standardId),
    timestamp: read(names.standardTimestamp),
    signature: read(names.standardSignature),
  };
  const found: SignatureVerdict[] = [];
  if (isPresented(agentKit)) found.push(verifyAgentKit({ ...signed, ...agentKit }));
  if (isPresented(standard)) found.push(verifyStandardWebhook({ ...signed, ...standard }));
  return found.length > 0 ? found : [{ ok: false, problem: "missing" }];
}

function isPresented(headers: Readonly<Record<string, string | undefined>>): boolean {
  return Object.values(headers).some((value) => value !== undefined);
}

/** A header that came twice is joined, which no signature survives. */
function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}

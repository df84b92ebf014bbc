import type { IncomingMessage } from "node:http";
import { checkWebhookSecret, SIGNATURE_HEADERS, type SignatureProblem, verifyAgentKit } from "@opspawn/contract";
import type { Clock } from "@opspawn/sdk";
import { Refusal } from "./refusal.ts";

const EXPLANATIONS: Record<SignatureProblem, string> = {
  missing: "it has none",
  malformed: "the signature headers cannot be read",
  expired: "its timestamp is too far from this machine's clock",
  mismatch: "it was signed with another secret, or changed on the way",
};

/**
 * Makes the check that a delivery was signed with the secret shared with the platform; without a secret everything
 * passes. A copy of a signed delivery does no harm: it has the same idempotency key, so its outcome is only repeated.
 * @throws OpspawnError when the secret could not sign. The check throws Refusal 401.
 */
export function signatureCheck(
  secret: string | null,
  clock: Pick<Clock, "now">,
): (request: Pick<IncomingMessage, "headers">, body: Buffer) => void {
  if (secret === null) return () => undefined;
  checkWebhookSecret(secret);
  return ({ headers }, body) => {
    const verdict = verifyAgentKit({
      secrets: [secret],
      timestamp: single(headers[SIGNATURE_HEADERS.agentKitTimestamp]),
      signature: single(headers[SIGNATURE_HEADERS.agentKitSignature]),
      body,
      now: clock.now(),
    });
    if (verdict.ok) return;
    throw new Refusal(
      401,
      "signature_invalid",
      `The delivery's signature is refused: ${EXPLANATIONS[verdict.problem]}.`,
    );
  };
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

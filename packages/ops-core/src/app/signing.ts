import { signAgentKit, signStandardWebhook } from "@opspawn/contract";
import type { Clock } from "../domain/clock.ts";
import type { Secret } from "../domain/secret.ts";

/** Makes the signature headers of a message, by its id and body. */
export type Sign = (id: string, body: string) => Record<string, string>;

/** Signs in both schemes side by side; without a secret there is nothing to sign with. */
export function signerOf(secret: Secret | null, clock: Clock): Sign {
  if (secret === null) return () => ({});
  return (id, body) => {
    const now = clock.now();
    const text = secret.reveal();
    return { ...signAgentKit({ secret: text, body, now }), ...signStandardWebhook({ secrets: [text], id, body, now }) };
  };
}

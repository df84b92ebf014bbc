import { signAgentKit, signStandardWebhook } from "@opspawn/contract";
import type { Clock } from "../domain/clock.ts";
import type { Secret } from "../domain/secret.ts";

/** Makes the webhook headers of a message, by its id (the same over all tries) and body. */
export type Sign = (id: string, body: string) => Record<string, string>;

/** Signs in both schemes side by side; without a secret a message still carries its id and time. */
export function signerOf(secret: Secret | null, clock: Clock): Sign {
  return (id, body) => {
    const now = clock.now();
    if (secret === null) return signStandardWebhook({ secrets: [], id, body, now });
    const text = secret.reveal();
    return { ...signAgentKit({ secret: text, body, now }), ...signStandardWebhook({ secrets: [text], id, body, now }) };
  };
}

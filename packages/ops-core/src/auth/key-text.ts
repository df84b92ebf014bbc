import { hash } from "node:crypto";

/** Two draws of 128 bits. */
const SECRET_LENGTH_MIN = 32;
const KEY_TEXT = /^opk_([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})_([A-Za-z0-9_-]{32,128})$/;

/** The parts of `opk_<id>_<secret>`: the id looks the key up, the secret proves it. */
export interface KeyText {
  /** As stored: `key_` and a UUID. */
  readonly id: string;
  readonly secret: string;
}

export function readKeyText(text: string): KeyText | null {
  const match = KEY_TEXT.exec(text);
  const [, uuid, secret] = match ?? [];
  return uuid === undefined || secret === undefined ? null : { id: `key_${uuid}`, secret };
}

/** @param secret at least 192 random bits as base64url */
export function writeKeyText(uuid: string, secret: string): string {
  if (secret.length < SECRET_LENGTH_MIN) throw new Error("a key's secret needs 192 random bits");
  return `opk_${uuid}_${secret}`;
}

/** What is stored instead of a secret: SHA-256, hex. Secrets are random, so they need no salt and no slow hash. */
export function secretHash(secret: string): string {
  return hash("sha256", secret, "hex");
}

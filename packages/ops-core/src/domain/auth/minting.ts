import type { ApiKey } from "./key.ts";

/** A key whose secret exists nowhere else; `text` is shown once and not kept. */
export interface MintedKey {
  readonly id: string;
  readonly hash: string;
  readonly text: string;
}

/** Makes keys, and hears of those that end. Comes from outside: the rules know keys, not secrets. */
export interface KeyMint {
  mint(): MintedKey;
  /** The same key for the same material, so that a repeated request can be answered the same; nobody else can make it. */
  derive(material: string): MintedKey;
  /** Keys were revoked here: they are refused at once in this process. */
  forget(): void;
}

/** The record of a fresh key. */
export function keyRecord(
  minted: MintedKey,
  rest: Omit<ApiKey, "id" | "hash" | "revokedAt" | "registered"> & { readonly registered?: true },
): ApiKey {
  return { registered: false, ...rest, id: minted.id, hash: minted.hash, revokedAt: null };
}

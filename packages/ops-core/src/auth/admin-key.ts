import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiKey } from "../domain/auth/key.ts";
import { type KeyMint, keyRecord } from "../domain/auth/minting.ts";
import type { Clock } from "../domain/clock.ts";
import type { Ids } from "../domain/ids.ts";
import type { KeyStore } from "../domain/store.ts";
import { readKeyText, secretHash } from "./key-text.ts";

const ADMIN_FILE = "admin.key";
const ROOT_FILE = "root.secret";
const NAME = "admin";

/**
 * The secret that derived keys rest on, made with the data folder and readable by its owner only.
 * @param folder null = nothing is kept, for a store in memory
 */
export function rootSecret(folder: string | null, ids: Ids): string {
  const fresh = ids.secret() + ids.secret();
  if (folder === null) return fresh;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, ROOT_FILE);
  const kept = readKept(path);
  if (kept !== null) return kept;
  writeFileSync(path, `${fresh}\n`, { mode: 0o600 });
  return fresh;
}

export interface AdminKeyOptions {
  readonly keys: KeyStore;
  readonly mint: KeyMint;
  readonly clock: Clock;
  /** The data folder; null = the key is not kept. */
  readonly folder: string | null;
}

/**
 * Sees to it that the store has a key that may do everything, so that nobody is locked out of a fresh installation.
 * A key file that outlived its database is put to use again.
 * @returns the text of a new key, to be shown once; null when there was one already
 */
export async function ensureAdminKey(options: AdminKeyOptions): Promise<string | null> {
  const now = options.clock.now();
  if (await hasAdminKey(options.keys, now)) return null;
  const path = options.folder === null ? null : join(options.folder, ADMIN_FILE);
  const kept = path === null ? null : readKeyText(readKept(path) ?? "");
  if (kept !== null && (await options.keys.get(kept.id)) === null) {
    await options.keys.create(adminRecord({ id: kept.id, hash: secretHash(kept.secret), text: "" }, now));
    return null;
  }
  const minted = options.mint.mint();
  // The file first: a key that nobody can read would be made anew at each start.
  if (path !== null) writeFileSync(path, `${minted.text}\n`, { mode: 0o600 });
  await options.keys.create(adminRecord(minted, now));
  return minted.text;
}

function adminRecord(minted: { id: string; hash: string; text: string }, now: number): ApiKey {
  return keyRecord(minted, { name: NAME, scopes: ["admin"], agentId: null, createdAt: now, expiresAt: null });
}

async function hasAdminKey(keys: KeyStore, now: number): Promise<boolean> {
  let cursor: string | undefined;
  do {
    const page = await keys.list({ limit: 200, cursor });
    if (page.items.some((key) => isLiveAdmin(key, now))) return true;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return false;
}

function isLiveAdmin(key: ApiKey, now: number): boolean {
  const live = key.revokedAt === null && (key.expiresAt === null || now < key.expiresAt);
  return live && key.scopes.includes("admin");
}

function readKept(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    return text === "" ? null : text;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

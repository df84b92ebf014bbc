import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "./config.ts";

const ADMIN_KEY_FILE = "admin.key";

/** Where the key for a call came from; null = there is none. */
export interface Credentials {
  readonly key: string | null;
  /** For messages about a refused key. */
  readonly origin: string;
}

/**
 * The key to send: the option, then the environment, then, to a server on this machine, the admin key that the server
 * keeps in its data folder. That key is never sent to another machine.
 */
export function findKey(option: string | undefined, url: string, data: string, settings: Settings): Credentials {
  if (option) return { key: option, origin: "--key" };
  if (settings.key !== null) return { key: settings.key, origin: "the environment" };
  const path = join(data, ADMIN_KEY_FILE);
  if (!isLoopback(url)) return { key: null, origin: "--key, OPSPAWN_API_KEY" };
  const key = readKey(path);
  return { key, origin: key === null ? `--key, OPSPAWN_API_KEY, ${path}` : path };
}

function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Null when there is no such file, or it is not ours to read. */
function readKey(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim() || null;
  } catch {
    return null;
  }
}

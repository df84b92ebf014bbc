import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Who an agent is to a platform. */
export interface Identity {
  readonly platform: string;
  readonly agentName: string;
  readonly agentId: string;
  /** Speaks for this agent only. */
  readonly key: string;
}

/** Where an agent keeps its identity over restarts; without it, a restart meets its own name as taken. */
export interface IdentityStore {
  /** Null when there is none for this platform and name. */
  load(platform: string, agentName: string): Promise<Identity | null>;
  save(identity: Identity): Promise<void>;
}

export const noIdentityStore: IdentityStore = {
  load: () => Promise.resolve(null),
  save: () => Promise.resolve(),
};

/** Keeps the identity in a JSON file that only its owner can read. A damaged file counts as none. */
export function identityFile(path: string): IdentityStore {
  return {
    async load(platform, agentName) {
      const identity = parse(await readFile(path, "utf8").catch(() => ""));
      if (identity === null || identity.agentName !== agentName) return null;
      // Not the port: a platform may come back on another one. Never another host: it would be handed our key.
      return hostOf(identity.platform) === hostOf(platform) ? identity : null;
    },
    async save(identity) {
      await mkdir(dirname(path), { recursive: true });
      const unfinished = `${path}.new`;
      await writeFile(unfinished, `${JSON.stringify(identity, null, 2)}\n`, { mode: 0o600 });
      await chmod(unfinished, 0o600);
      await rename(unfinished, path);
    },
  };
}

function hostOf(url: string): string | undefined {
  return URL.parse(url)?.hostname;
}

function parse(text: string): Identity | null {
  try {
    const value = JSON.parse(text) as Partial<Identity> | null;
    const { platform, agentName, agentId, key } = value ?? {};
    const whole = [platform, agentName, agentId, key].every((field) => typeof field === "string");
    return whole ? (value as Identity) : null;
  } catch {
    return null;
  }
}

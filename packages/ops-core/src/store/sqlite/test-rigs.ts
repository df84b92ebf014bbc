import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenedStore, StorePorts, StoreRig } from "../suite/test-rig.ts";
import { Database } from "./database.ts";
import { openSqlite } from "./store.ts";
import { brokenInvariants } from "./test-invariants.ts";

/** Data in memory: it outlives its process because the connection does. */
export async function memoryRig(): Promise<StoreRig> {
  const db = new KeptDatabase();
  return {
    open: async (ports) => {
      db.deaf = false;
      return openedOn(db, ports, ":memory:", () => {
        db.deaf = true;
      });
    },
    remove: async () => db.disconnect(),
  };
}

/** A connection that its store does not close, and that can stop listening to it. */
class KeptDatabase extends Database {
  deaf = false;

  constructor() {
    super(":memory:");
  }

  override exec(sql: string): void {
    if (this.deaf) throw new Error("the process is dead");
    super.exec(sql);
  }

  override close(): void {
    this.deaf = true;
  }

  disconnect(): void {
    super.close();
  }
}

/** Data in a file, opened anew by each process. Only a power cut would notice that nothing waits for the disk. */
export async function fileRig(): Promise<StoreRig> {
  const folder = mkdtempSync(join(tmpdir(), "opspawn-store-"));
  const path = join(folder, "opspawn.db");
  writeFileSync(path, emptyData());
  return {
    open: async (ports) => {
      const db = new HastyDatabase(path);
      return openedOn(db, ports, path, () => db.close());
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

class HastyDatabase extends Database {
  constructor(path: string) {
    super(path);
    this.exec("pragma synchronous = off");
  }
}

let empty: Buffer | undefined;

/** An empty database, migrated once for all tests. */
function emptyData(): Buffer {
  if (empty !== undefined) return empty;
  const folder = mkdtempSync(join(tmpdir(), "opspawn-empty-"));
  const path = join(folder, "opspawn.db");
  new Database(path).close();
  empty = readFileSync(path);
  rmSync(folder, { recursive: true });
  return empty;
}

export function openedOn(db: Database, ports: StorePorts, path: string, crash: () => void): OpenedStore {
  const store = openSqlite({ path, ...ports }, () => db);
  return { store, crash, audit: () => [...store.disagreements(), ...brokenInvariants(db)] };
}

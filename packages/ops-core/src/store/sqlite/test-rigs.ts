import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenedStore, StorePorts, StoreRig } from "../suite/test-rig.ts";
import { Database } from "./database.ts";
import { KeptDatabase, lastGasps } from "./kept-database.ts";
import { openSqlite } from "./store.ts";
import { brokenInvariants } from "./test-invariants.ts";

/** Data in memory: it outlives its process because the connection does. */
export async function memoryRig(): Promise<StoreRig> {
  const db = spare.pop() ?? new KeptDatabase();
  return { ...rigOn(db), remove: async () => recycle(db, spare) };
}

const spare: KeptDatabase[] = [];

/** Empties a connection's data for the next one: its statements are prepared already. */
export function recycle<Kept extends KeptDatabase>(db: Kept, into: Kept[]): void {
  db.deaf = false;
  if (db.inTransaction) db.exec("rollback");
  for (const { name } of db.all<{ name: string }>("select name from sqlite_schema where type = 'table'")) {
    db.exec(`delete from ${name}`);
  }
  into.push(db);
}

export function rigOn(db: KeptDatabase): StoreRig {
  return {
    open: async (ports) => {
      if (db.deaf) await lastGasps();
      db.deaf = false;
      return openedOn(db, ports, ":memory:", () => {
        db.deaf = true;
      });
    },
    remove: async () => undefined,
  };
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
export function emptyData(): Buffer {
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
  let audited = -1;
  const audit = () => {
    // Between two commits nothing becomes wrong.
    if (audited === store.stats.transitions) return [];
    audited = store.stats.transitions;
    return [...store.disagreements(), ...brokenInvariants(db)];
  };
  return { store, crash, audit };
}

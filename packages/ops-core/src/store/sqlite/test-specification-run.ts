import type { OpenedStore } from "../suite/test-rig.ts";
import { World } from "../suite/test-world.ts";
import type { Values } from "./database.ts";
import { KeptDatabase } from "./kept-database.ts";
import { recycle, rigOn } from "./test-rigs.ts";

/** A statement, and what is asked in its place. */
export interface Mutant {
  readonly sql: string;
  readonly instead: string;
}

/** What a scenario makes of its connection. */
export interface Account {
  readonly statements: Set<string>;
  /** Batches that had to be run again. */
  rollbacks: number;
}

/** A connection that can keep account of what it is asked, and ask one statement in another's place. */
class AccountedDatabase extends KeptDatabase {
  /** Undefined while nobody counts: audits look through everything, and are no part of it. */
  account: Account | undefined;
  mutant: Mutant | undefined;

  override run(sql: string, ...values: never[]): number {
    return super.run(this.noted(sql), ...values);
  }

  override get<T>(sql: string, ...values: Values): T | undefined {
    return super.get<T>(this.noted(sql), ...values);
  }

  override all<T>(sql: string, ...values: Values): T[] {
    return super.all<T>(this.noted(sql), ...values);
  }

  override transaction(step: Parameters<KeptDatabase["transaction"]>[0]): void {
    if (step === "rollback" && this.account !== undefined) this.account.rollbacks += 1;
    super.transaction(step);
  }

  /** Asked by the constructor of its parent, too, before there is anything of its own. */
  noted(sql: string): string {
    this.account?.statements.add(sql);
    return sql === this.mutant?.sql ? this.mutant.instead : sql;
  }
}

const spare: AccountedDatabase[] = [];

/** Runs a scenario of the specification in memory. Rejects with what goes wrong in it. */
export async function runScenario(body: (world: World) => Promise<void>, mutant?: Mutant): Promise<Account> {
  const db = spare.pop() ?? new AccountedDatabase();
  const rig = rigOn(db);
  const world = await World.open({ ...rig, open: async (ports) => unaccounted(await rig.open(ports), db) });
  const account: Account = { statements: new Set(), rollbacks: 0 };
  try {
    db.account = account;
    db.mutant = mutant;
    await body(world);
    db.account = undefined;
    await world.verify();
    return account;
  } finally {
    db.account = undefined;
    db.mutant = undefined;
    await world.close();
    recycle(db, spare);
  }
}

function unaccounted(opened: OpenedStore, db: AccountedDatabase): OpenedStore {
  const audit = (): readonly string[] => {
    const { account } = db;
    db.account = undefined;
    const found = opened.audit();
    db.account = account;
    return found;
  };
  return { ...opened, audit };
}

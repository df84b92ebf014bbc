import { test } from "node:test";
import type { Clock } from "../../domain/clock.ts";
import type { Failpoint } from "../../domain/failpoint.ts";
import type { Ids } from "../../domain/ids.ts";
import type { Store } from "../../domain/store.ts";
import type { WorkflowPlan } from "../../domain/workflows/plan.ts";
import { World } from "./test-world.ts";

/** What a store gets from outside. */
export interface StorePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly compile: (document: string) => WorkflowPlan;
  readonly sendCapacity: () => number;
  readonly failpoint?: Failpoint;
}

export interface OpenedStore {
  readonly store: Store;
  /** Everything that is wrong with the data, or with what memory keeps of it; nothing, when all is well. */
  audit(): readonly string[];
  /** The process dies: nothing more is written, and whoever waits for an answer waits for ever. */
  crash(): void;
}

/** One place for data, and the way to open it again and again. An implementation of the store brings its own. */
export interface StoreRig {
  open(ports: StorePorts): Promise<OpenedStore>;
  /** When the data are audited: after each call, by default, or only once a scenario has ended. */
  readonly audited?: "after each call" | "at the end";
  /** Removes the data. */
  remove(): Promise<void>;
}

export type MakeRig = () => Promise<StoreRig>;

/** Declares a test that gets a world of its own, which is checked as a whole at the end. */
export type Declare = (title: string, body: (world: World) => Promise<void>) => void;

/** One noun's part of the specification. */
export type Suite = (on: Declare) => void;

export function declareOn(name: string, makeRig: MakeRig): Declare {
  return (title, body) => {
    test(`${name}: ${title}`, async () => {
      const world = await World.open(await makeRig());
      try {
        await body(world);
        await world.verify();
      } finally {
        await world.close();
      }
    });
  };
}

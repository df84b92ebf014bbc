import type { Result } from "../workload.ts";
import type { Delivery } from "./delivery.ts";

/** It was called off, and is not done. */
export class Stopped extends Error {}

/** Whoever was at it is gone without a word, as if its process had died. */
export class Abandoned extends Error {}

/** Work under way, or done. */
export class Run {
  readonly delivery: Delivery;
  /** Asks whoever is at it to stop. */
  readonly stop = new AbortController();
  /** Asks them to come to an end. */
  readonly hurry = new AbortController();
  readonly result: Promise<Result>;
  isDone = false;

  constructor(delivery: Delivery, perform: (run: Run) => Promise<Result>) {
    this.delivery = delivery;
    this.result = perform(this);
    this.result.then(
      () => {
        this.isDone = true;
      },
      () => undefined,
    );
  }

  /** Resolves when nobody is at it any more. */
  get over(): Promise<void> {
    return this.result.then(
      () => undefined,
      () => undefined,
    );
  }
}

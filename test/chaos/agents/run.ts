import type { Result } from "../workload.ts";
import type { Delivery } from "./delivery.ts";

/** It was called off, and is not done. */
export class Stopped extends Error {}

/** Whoever was at it knows no more what came of it, or is gone without a word. */
export class Abandoned extends Error {
  readonly isSilent: boolean;

  constructor(isSilent: boolean) {
    super();
    this.isSilent = isSilent;
  }
}

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

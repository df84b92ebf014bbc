import { type Clock, DAY } from "../domain/clock.ts";

/** A step back beyond this is no step: one of the two times was wrong, and what is there now is more likely right. */
const BRIDGED_MAX = DAY;

/**
 * A clock that goes on where the data's time ended: when the machine's clock was set back while nobody ran, nothing that was
 * due becomes due again, and nothing that is due has to wait for the time to come round. It runs ahead of the machine by the
 * step until the next start at which the machine has caught up.
 */
export class LastingClock implements Clock {
  readonly #machine: Clock;
  #ahead = 0;

  constructor(machine: Clock) {
    this.#machine = machine;
  }

  now(): number {
    return this.#machine.now() + this.#ahead;
  }

  goOnFrom(micros: number): void {
    const ahead = micros - this.#machine.now();
    if (ahead > this.#ahead && ahead <= BRIDGED_MAX) this.#ahead = ahead;
  }

  /** Microseconds it is ahead of the machine's. */
  get ahead(): number {
    return this.#ahead;
  }
}

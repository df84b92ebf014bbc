import { randomFillSync } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import type { Ids } from "../domain/ids.ts";

/** Bytes drawn at a time: a call for 16 costs as much as a call for thousands. */
const POOL_BYTES = 8_192;
const COUNTER_MAX = 0xfff;
const SECRET_BYTES = 16;

/**
 * Identifiers of RFC 9562, version 7: 48 bits of milliseconds, 12 bits that count within one millisecond, 62 random
 * bits. (`crypto.randomUUIDv7` has no such counter: two ids of one millisecond sort either way.) A counter that
 * overflows borrows the next millisecond.
 */
export class SystemIds implements Ids {
  readonly #clock: Clock;
  readonly #pool = Buffer.allocUnsafe(POOL_BYTES);
  #used = POOL_BYTES;
  #millis = 0;
  #counter = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  uuid(): string {
    this.#tick();
    const random = this.#draw(8);
    // The variant: the two highest bits of the second half are 10.
    random[0] = ((random[0] ?? 0) & 0x3f) | 0x80;
    const time = this.#millis.toString(16).padStart(12, "0");
    const count = this.#counter.toString(16).padStart(3, "0");
    const tail = random.toString("hex");
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  }

  secret(): string {
    return this.#draw(SECRET_BYTES).toString("base64url");
  }

  random(): number {
    return Math.random();
  }

  #tick(): void {
    const millis = Math.floor(this.#clock.now() / 1000);
    if (millis > this.#millis) {
      this.#millis = millis;
      this.#counter = 0;
    } else if (this.#counter < COUNTER_MAX) {
      this.#counter += 1;
    } else {
      this.#millis += 1;
      this.#counter = 0;
    }
  }

  /** Bytes never handed out before; the caller must be done with them before it returns to the event loop. */
  #draw(count: number): Buffer {
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const drawn = this.#pool.subarray(this.#used, this.#used + count);
    this.#used += count;
    return drawn;
  }
}

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
  /** The text of `#millis` as an id begins, up to its version. */
  #time = "";
  #counter = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#begin(0);
  }

  uuid(): string {
    this.#tick();
    const at = this.#draw(8);
    // The variant: the two highest bits of the second half are 10.
    this.#pool[at] = ((this.#pool[at] ?? 0) & 0x3f) | 0x80;
    const count = this.#counter.toString(16).padStart(3, "0");
    const tail = this.#pool.toString("hex", at, at + 8);
    return `${this.#time}${count}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  }

  secret(): string {
    const at = this.#draw(SECRET_BYTES);
    return this.#pool.toString("base64url", at, at + SECRET_BYTES);
  }

  random(): number {
    return Math.random();
  }

  #tick(): void {
    const millis = Math.floor(this.#clock.now() / 1000);
    if (millis > this.#millis) {
      this.#begin(millis);
    } else if (this.#counter < COUNTER_MAX) {
      this.#counter += 1;
    } else {
      this.#begin(this.#millis + 1);
    }
  }

  #begin(millis: number): void {
    this.#millis = millis;
    this.#counter = 0;
    const digits = millis.toString(16).padStart(12, "0");
    this.#time = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
  }

  /** Where in the pool bytes stand that were never handed out before; the caller takes them before anybody else draws. */
  #draw(count: number): number {
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += count;
    return at;
  }
}

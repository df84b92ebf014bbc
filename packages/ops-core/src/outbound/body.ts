import { type BrotliOptions, brotliDecompress, gunzip, inflate, type ZlibOptions } from "node:zlib";

const EMPTY = Buffer.alloc(0);

/** Gathers a body up to a cap. Memory follows the bytes, not the number of pieces: a peer may send single bytes. */
export class BodyCollector {
  readonly #cap: number;
  #bytes: Buffer = EMPTY;
  #length = 0;

  /** @param cap bytes */
  constructor(cap: number) {
    this.#cap = cap;
  }

  /** @returns false when the piece did not fit; what fits is kept */
  add(piece: Buffer): boolean {
    const fitting = Math.min(piece.length, this.#cap - this.#length);
    if (this.#length === 0) {
      this.#bytes = piece.subarray(0, fitting);
    } else if (fitting > 0) {
      this.#append(piece.subarray(0, fitting));
    }
    this.#length += fitting;
    return fitting === piece.length;
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #append(piece: Buffer): void {
    const needed = this.#length + piece.length;
    // The first piece is a view of the socket's own memory and has no room to grow.
    if (this.#length === this.#bytes.length || needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#cap, Math.max(needed, this.#length * 2, 1024)));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    piece.copy(this.#bytes, this.#length);
  }
}

type Decoder = (
  bytes: Buffer,
  options: ZlibOptions & BrotliOptions,
  done: (error: Error | null, decoded: Buffer) => void,
) => void;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ["gzip", gunzip],
  ["x-gzip", gunzip],
  ["deflate", inflate],
  ["br", brotliDecompress],
]);

/** Whether a body with this `content-encoding` can be used as it is. */
export function isPlain(encoding: string | string[] | undefined): boolean {
  return encoding === undefined || encoding === "" || encoding === "identity";
}

/**
 * Decodes a body that came encoded although we ask for plain ones.
 * @param cap bytes after decoding; the work stops there
 * @returns null when the encoding is unknown, the bytes are damaged, or the result is longer than `cap`
 */
export function decodeBody(
  bytes: Buffer,
  encoding: string | string[] | undefined,
  cap: number,
): Promise<Buffer | null> {
  const decoder = typeof encoding === "string" ? DECODERS.get(encoding.trim().toLowerCase()) : undefined;
  if (decoder === undefined) return Promise.resolve(null);
  return new Promise((resolve) => {
    decoder(bytes, { maxOutputLength: cap }, (error, decoded) => resolve(error === null ? decoded : null));
  });
}

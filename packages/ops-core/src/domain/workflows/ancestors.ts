const BITS = 32;

/** Who is sure to have ended before whom: a set of bits per step, filled along the order of running. */
export class Ancestors {
  readonly #bits: Uint32Array;
  readonly #width: number;

  constructor(dependsOn: readonly (readonly number[])[], sequence: readonly number[]) {
    this.#width = Math.ceil(dependsOn.length / BITS);
    this.#bits = new Uint32Array(this.#width * dependsOn.length);
    for (const position of sequence) {
      for (const dependency of dependsOn[position] ?? []) this.#inherit(position, dependency);
    }
  }

  #inherit(position: number, dependency: number): void {
    const to = position * this.#width;
    const from = dependency * this.#width;
    for (let word = 0; word < this.#width; word += 1) this.#add(to + word, this.#bits[from + word] as number);
    this.#add(to + Math.floor(dependency / BITS), 1 << (dependency % BITS));
  }

  #add(word: number, bits: number): void {
    this.#bits[word] = (this.#bits[word] as number) | bits;
  }

  has(position: number, ancestor: number): boolean {
    const word = this.#bits[position * this.#width + Math.floor(ancestor / BITS)] as number;
    return (word & (1 << (ancestor % BITS))) !== 0;
  }
}

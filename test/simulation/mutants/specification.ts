import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GeneratedMutant } from "./generator.ts";
import { instrumentedSources } from "./instrument.ts";
import { deathOf, type Ended, runPlanted } from "./planted-process.ts";

/** How a run ends that says nothing about any mutant: its own or its sources' fault. */
const FAULTS: readonly (number | null)[] = [3, 4];

/** What a process is to do. */
export interface Orders {
  /** By mutant: the value of its predicate that makes a difference; null = the database evaluates it. */
  readonly differs: readonly (boolean | null)[];
  /** The mutants that each scenario meets, in the order of the scenarios; null = that is to be found out. */
  readonly meetings: readonly (readonly number[])[] | null;
  /** The mutants to try. */
  readonly mutants: readonly number[];
}

export type Answer =
  | { readonly meetings: readonly (readonly number[])[] }
  | { readonly index: number; readonly killer: string | null };

interface Asking {
  /** Processes at once. */
  readonly atOnce: number;
  readonly inParallel: InParallel;
  /** Called for each mutant that was seen, when it was. */
  readonly tell: (index: number, words: string) => void;
}

type InParallel = (jobs: readonly (() => Promise<void>)[]) => Promise<unknown>;

/**
 * Asks the specification of the store, a scenario at a time, whether it sees the absence of each predicate.
 * @returns by mutant what saw it, or null
 */
export async function seenBySpecification(
  mutants: readonly GeneratedMutant[],
  folder: string,
  { atOnce, inParallel, tell }: Asking,
): Promise<(string | null)[]> {
  const asked = new Specification(mutants, folder, tell);
  const met = await asked.meet();
  const parts = Array.from({ length: atOnce }, (_, part) => met.filter((_, i) => i % atOnce === part));
  await inParallel(parts.map((own, part) => () => asked.tryAll(own, part)));
  return asked.seen;
}

class Specification {
  readonly seen: (string | null)[];
  readonly #differs: Orders["differs"];
  readonly #sources: string;
  readonly #folder: string;
  readonly #tell: Asking["tell"];
  #meetings: Orders["meetings"] = null;

  constructor(mutants: readonly GeneratedMutant[], folder: string, tell: Asking["tell"]) {
    this.#tell = tell;
    this.seen = mutants.map(() => null);
    this.#differs = mutants.map(({ probe }) => probe?.differs ?? null);
    this.#folder = folder;
    this.#sources = join(folder, "specification-sources.json");
    writeFileSync(this.#sources, JSON.stringify(Object.fromEntries(instrumentedSources(mutants))));
  }

  /** The mutants that some scenario meets. @throws Error when the specification fails as it is */
  async meet(): Promise<number[]> {
    const ended = await this.#ask([], 0, (answer) => {
      if ("meetings" in answer) this.#meetings = answer.meetings;
    });
    if (this.#meetings === null) throw new Error(`the specification without any mutant ${deathOf(ended)}`);
    return [...new Set(this.#meetings.flat())].sort((a, b) => a - b);
  }

  /** A process that crashes, hangs or stops in the middle has seen the mutant it was at. */
  async tryAll(mutants: readonly number[], part: number): Promise<void> {
    const left = new Set(mutants);
    while (left.size > 0) {
      const ended = await this.#ask([...left], part, (answer) => {
        if (!("index" in answer)) return;
        left.delete(answer.index);
        if (answer.killer !== null) this.#see(answer.index, answer.killer);
      });
      const [next] = left;
      if (next === undefined) return;
      if (FAULTS.includes(ended.code)) throw new Error(ended.errors);
      left.delete(next);
      this.#see(next, deathOf(ended));
    }
  }

  #see(index: number, words: string): void {
    this.seen[index] = words;
    this.#tell(index, words);
  }

  #ask(mutants: readonly number[], part: number, take: (answer: Answer) => void): Promise<Ended> {
    const file = join(this.#folder, `specification-${part}.json`);
    writeFileSync(file, JSON.stringify({ differs: this.#differs, meetings: this.#meetings, mutants } satisfies Orders));
    return runPlanted({
      script: "specification-run.ts",
      args: [file],
      // What fails may leave files behind.
      variables: { OPSPAWN_MUTANT: this.#sources, TMPDIR: this.#folder },
      heap: 600,
      // An empty line is but a sign of life.
      onLine: (line) => line !== "" && take(JSON.parse(line) as Answer),
    });
  }
}

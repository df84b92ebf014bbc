import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GeneratedMutant } from "./generator.ts";
import { instrumentedSources } from "./instrument.ts";

/** Milliseconds without a word. All scenarios take some 15 s, of which the process tells but at their end. */
const LIMIT_MS = 60_000;
const PRELOAD = join(import.meta.dirname, "preload.ts");
const RUN = join(import.meta.dirname, "specification-run.ts");

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
  | { readonly index: number; readonly killer: string | null; readonly able: number };

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
    const { words } = await this.#ask([], 0, (answer) => {
      if ("meetings" in answer) this.#meetings = answer.meetings;
    });
    if (this.#meetings === null) throw new Error(words ?? "the specification ended without a word");
    return [...new Set(this.#meetings.flat())].sort((a, b) => a - b);
  }

  /** A process that crashes, hangs or stops in the middle has seen the mutant it was at. */
  async tryAll(mutants: readonly number[], part: number): Promise<void> {
    const left = new Set(mutants);
    while (left.size > 0) {
      const { words } = await this.#ask([...left], part, (answer) => {
        if (!("index" in answer)) return;
        left.delete(answer.index);
        if (answer.killer !== null) this.#see(answer.index, answer.killer);
      });
      const [next] = left;
      if (next === undefined) return;
      left.delete(next);
      this.#see(next, words ?? "stopped: nothing was left that could happen");
    }
  }

  #see(index: number, words: string): void {
    this.seen[index] = words;
    this.#tell(index, words);
  }

  /** @returns why the process ended, unless it was done */
  async #ask(
    mutants: readonly number[],
    part: number,
    take: (answer: Answer) => void,
  ): Promise<{ words: string | null }> {
    const file = join(this.#folder, `specification-${part}.json`);
    writeFileSync(file, JSON.stringify({ differs: this.#differs, meetings: this.#meetings, mutants } satisfies Orders));
    const { code, errors, hung } = await runSwitched(this.#sources, file, (line) => take(JSON.parse(line) as Answer));
    if (hung) return { words: `no end within ${LIMIT_MS / 1_000} s` };
    if (code === 0 || code === 13) return { words: null };
    return { words: `crashed: ${errors.split("\n").find((line) => /Error|FATAL/.test(line)) ?? `exit ${code}`}` };
  }
}

interface Ended {
  readonly code: number | null;
  readonly errors: string;
  readonly hung: boolean;
}

function runSwitched(sources: string, orders: string, take: (line: string) => void): Promise<Ended> {
  const options = ["--conditions=opspawn-source", "--max-old-space-size=600", "--import", PRELOAD, RUN, orders];
  const child = spawn(process.execPath, options, {
    env: { ...process.env, OPSPAWN_MUTANT: sources },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve) => {
    let [rest, errors, hung] = ["", "", false];
    const limit = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") take(line);
      limit.refresh();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += errors.length < 20_000 ? text : "";
    });
    child.on("close", (code) => {
      clearTimeout(limit);
      resolve({ code, errors, hung });
    });
  });
}

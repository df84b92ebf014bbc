import { readFileSync } from "node:fs";
import { plant, productFile } from "../../planting/planting.ts";
import { applyEdits } from "./edit.ts";
import { EXEMPTIONS } from "./exemptions.ts";
import type { GeneratedMutant } from "./generator.ts";
import { instrumentedSources } from "./instrument.ts";
import type { NamedMutant } from "./named/named-mutant.ts";
import { NAMED_MUTANTS, WANTED_MUTANTS } from "./named.ts";
import type { Options } from "./options.ts";
import { type Kill, type Result, report } from "./report.ts";
import { seenBySpecification } from "./specification.ts";
import { missedBySuites } from "./suites.ts";
import { allGenerated } from "./targets.ts";
import { runTrial, type Verdict } from "./trial.ts";

/** Processes at once. */
const AT_ONCE = 2;

/** Runs the mutants that are asked for and prints what came of them; whether all is as it should be. */
export async function runMutants(options: Options, folder: string): Promise<boolean> {
  const { names, seeds } = options;
  const isAskedFor = (name: string): boolean => names.length === 0 || names.some((part) => name.includes(part));
  const bugs = options.named ? NAMED_MUTANTS.filter(({ name }) => isAskedFor(name)) : [];
  const wanted = options.wanted ? WANTED_MUTANTS.filter(({ name }) => isAskedFor(name)) : [];
  const predicates = options.generated ? allGenerated().filter(({ id }) => isAskedFor(id)) : [];
  if (bugs.length + wanted.length + predicates.length === 0) {
    throw new Error(`no mutant has a name with ${names.join(" or ")} in it`);
  }
  const named = firstSeeds(seeds.named);
  const generated = firstSeeds(seeds.generated);
  const differs = await seedsOfDifference(predicates, generated, folder);
  const results = await inParallel([
    ...bugs.map((bug) => () => tryNamed("named", bug, named, folder)),
    ...wanted.map((bug) => () => tryNamed("wanted", bug, named, folder)),
  ]);
  results.push(
    ...(await tryGenerated(
      predicates,
      predicates.map((_, index) => differs[index] ?? generated),
      folder,
    )),
  );
  if (options.suites) await missedBySuites(bugs, folder, (job) => inParallel(job));
  return report(results, { exemptions: EXEMPTIONS, isWhole: names.length === 0 && options.generated });
}

function firstSeeds(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** In which seeds the absence of each predicate makes a difference; also shows that the seeds pass as they are. */
async function seedsOfDifference(
  mutants: readonly GeneratedMutant[],
  seeds: readonly number[],
  folder: string,
): Promise<(readonly number[] | undefined)[]> {
  const probes = mutants.map(({ probe }) => probe?.differs ?? false);
  const sources = Object.fromEntries(instrumentedSources(mutants));
  const halves = [seeds.filter((seed) => seed % 2 === 1), seeds.filter((seed) => seed % 2 === 0)];
  const verdicts = await inParallel(halves.map((half) => () => runTrial({ sources, seeds: half, folder, probes })));
  for (const [i, verdict] of verdicts.entries()) {
    if (verdict.killed !== null) throw guilty(verdict.killed);
    for (const seed of halves[i] ?? []) asTheyAre.set(seed, Promise.resolve(verdict));
  }
  const reports = verdicts.flatMap((verdict) => verdict.reports);
  const found = new Map<number, number[]>();
  for (const { seed, seen } of reports) for (const index of seen) found.set(index, [...(found.get(index) ?? []), seed]);
  return mutants.map(({ probe }, index) =>
    probe === undefined ? undefined : (found.get(index) ?? []).sort((a, b) => a - b),
  );
}

async function tryNamed(
  kind: "named" | "wanted",
  bug: NamedMutant,
  seeds: readonly number[],
  folder: string,
): Promise<Result> {
  const source = plant(bug, readFileSync(productFile(bug.file), "utf8"));
  const { killed } = await runTrial({ sources: { [bug.file]: source }, seeds, folder });
  await needInnocent(killed, folder);
  return say({ kind, name: bug.name, killed: killOf(killed), seeds: seeds.length });
}

/**
 * The specification is asked first, since it takes milliseconds; what it does not see is left to the simulator.
 * @param seeds by mutant those in which it may make a difference
 */
async function tryGenerated(
  mutants: readonly GeneratedMutant[],
  seeds: readonly (readonly number[])[],
  folder: string,
): Promise<Result[]> {
  if (mutants.length === 0) return [];
  const bySpecification = (index: number, words: string): Result => ({
    kind: "generated",
    name: mutants[index]?.id ?? "",
    killed: { by: "specification", words },
    seeds: 0,
  });
  const tell = (index: number, words: string): unknown => say(bySpecification(index, words));
  const seen = await seenBySpecification(mutants, folder, { atOnce: AT_ONCE, inParallel, tell });
  return inParallel(
    mutants.map((mutant, index) => async () => {
      const words = seen[index] ?? null;
      if (words !== null) return bySpecification(index, words);
      return simulateWithout(mutant, seeds[index] ?? [], folder);
    }),
  );
}

async function simulateWithout(mutant: GeneratedMutant, seeds: readonly number[], folder: string): Promise<Result> {
  const source = applyEdits(readFileSync(productFile(mutant.file), "utf8"), mutant.edits);
  const trial = { sources: { [mutant.file]: source }, seeds, folder };
  const { killed } = seeds.length === 0 ? { killed: null } : await runTrial(trial);
  await needInnocent(killed, folder);
  return say({ kind: "generated", name: mutant.id, killed: killOf(killed), seeds: seeds.length });
}

/** The runs of seeds as they are, by seed. */
const asTheyAre = new Map<number, Promise<Verdict>>();

/** What kills a mutant is the mutant only if the seed passes without it. */
async function needInnocent(killed: Verdict["killed"], folder: string): Promise<void> {
  if (killed === null) return;
  const { seed } = killed;
  const run = asTheyAre.get(seed) ?? runTrial({ sources: {}, seeds: [seed], folder });
  asTheyAre.set(seed, run);
  const verdict = await run;
  if (verdict.killed !== null) throw guilty(verdict.killed);
}

function guilty({ seed, words }: NonNullable<Verdict["killed"]>): Error {
  return new Error(`seed ${seed} fails without any mutant: ${words}`);
}

function killOf(killed: Verdict["killed"]): Kill | null {
  return killed === null ? null : { by: "simulator", words: `seed ${killed.seed}: ${killed.words}` };
}

function say(result: Result): Result {
  const { name, killed, seeds } = result;
  const end = seeds === 0 ? "makes no difference in any seed" : `survives ${seeds} seeds`;
  console.log(`${killed === null ? end : `killed by the ${killed.by} (${killed.words})`}: ${name}`);
  return result;
}

async function inParallel<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const queue = jobs.entries();
  const work = async (): Promise<void> => {
    for (const [index, job] of queue) results[index] = await job();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

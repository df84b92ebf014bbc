import { parseArgs } from "node:util";

export interface Options {
  /** Parts of names; empty = all. */
  readonly names: readonly string[];
  readonly named: boolean;
  readonly generated: boolean;
  /** The bugs that the simulator is still to learn to see. */
  readonly wanted: boolean;
  /** How many seeds each mutant gets at most, from 1 on. */
  readonly seeds: { readonly named: number; readonly generated: number };
  /** Whether the product's own tests are asked too. */
  readonly suites: boolean;
}

const NAMED_SEEDS = 60;
/** There are hundreds, and what the first seeds do not show the next ones seldom do. */
const GENERATED_SEEDS = 6;

/** @throws Error for an unknown option or a number of seeds that is none */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      named: { type: "boolean", default: false },
      generated: { type: "boolean", default: false },
      wanted: { type: "boolean", default: false },
      seeds: { type: "string" },
      suites: { type: "boolean", default: false },
    },
  });
  const isAll = !values.named && !values.generated && !values.wanted;
  return {
    names: positionals,
    named: isAll || values.named,
    generated: isAll || values.generated,
    wanted: values.wanted,
    seeds: { named: seedsOf(values.seeds, NAMED_SEEDS), generated: seedsOf(values.seeds, GENERATED_SEEDS) },
    suites: values.suites,
  };
}

function seedsOf(text: string | undefined, byDefault: number): number {
  const seeds = text === undefined ? byDefault : Number(text);
  if (!Number.isInteger(seeds) || seeds < 1) throw new Error(`--seeds takes a number from 1 on, not ${text}`);
  return seeds;
}

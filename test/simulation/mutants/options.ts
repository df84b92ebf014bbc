import { parseArgs } from "node:util";

export interface Options {
  /** Parts of names; empty = all. */
  readonly names: readonly string[];
  readonly named: boolean;
  readonly generated: boolean;
  /** How many seeds each mutant gets at most, from 1 on. */
  readonly seeds: number;
  /** Whether the product's own tests are asked too. */
  readonly suites: boolean;
}

const DEFAULT_SEEDS = 12;

/** @throws Error for an unknown option or a number of seeds that is none */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      named: { type: "boolean", default: false },
      generated: { type: "boolean", default: false },
      seeds: { type: "string", default: String(DEFAULT_SEEDS) },
      suites: { type: "boolean", default: false },
    },
  });
  const seeds = Number(values.seeds);
  if (!Number.isInteger(seeds) || seeds < 1) throw new Error(`--seeds takes a number from 1 on, not ${values.seeds}`);
  const isBoth = values.named === values.generated;
  return {
    names: positionals,
    named: isBoth || values.named,
    generated: isBoth || values.generated,
    seeds,
    suites: values.suites,
  };
}

import { DURATION_HINT, parseDuration } from "@opspawn/contract";
import { InvalidArgumentError } from "commander";

/** Collects a repeatable option. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** Collects `key=value` pairs. */
export function collectPairs(
  value: string,
  before: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const split = value.indexOf("=");
  if (split < 1) throw new InvalidArgumentError("It must be key=value.");
  return { ...before, [value.slice(0, split)]: value.slice(split + 1) };
}

/** Reads a whole number within bounds. */
export function whole(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** Checks a duration; it is passed on as text. */
export function duration(value: string): string {
  if (parseDuration(value) === null) throw new InvalidArgumentError(`It must be ${DURATION_HINT}.`);
  return value;
}

/** Checks one of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): (value: string) => Word {
  return (value) => {
    const word = words.find((each) => each === value);
    if (word === undefined) throw new InvalidArgumentError(`It must be one of ${words.join(", ")}.`);
    return word;
  };
}

import { parseDuration } from "@opspawn/contract";
import { InvalidArgumentError } from "commander";
import { duration } from "./options.ts";

/** What `--wait` alone stands for. */
export const TO_THE_END = "end";

/**
 * `--wait` takes a time or none: `run --wait flow.yaml` must not take the file for the time. So a bare `--wait` gets
 * its meaning written out, unless a time follows.
 */
export function valuesOfWait(argv: readonly string[]): string[] {
  return argv.map((arg, n) => {
    const next = argv[n + 1];
    const isTime = next !== undefined && parseDuration(next) !== null;
    return arg === "--wait" && !isTime && !argv.slice(0, n).includes("--") ? `--wait=${TO_THE_END}` : arg;
  });
}

/** Reads the value of `--wait`. */
export function waitTime(value: string): string {
  if (value === TO_THE_END) return value;
  try {
    return duration(value);
  } catch {
    throw new InvalidArgumentError("Write --wait, or --wait=30s.");
  }
}

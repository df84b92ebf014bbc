import { isIP } from "node:net";
import { type ArmedFailpoint, FAILPOINTS } from "./domain/failpoint.ts";

/** Turns the text of a setting into its value; null when the text breaks the rule. */
export type Read<T> = (text: string) => T | null;

/** A setting: where it may be given, what it must be, and what it is when nobody gives it. */
export interface Setting<T> {
  /** Environment variables, the first one that is set counts. */
  readonly env: readonly string[];
  /** Command line option, without the dashes. */
  readonly flag?: string;
  /** Key under `server:` in `opspawn.yaml`; none for secrets, which do not belong into a file that is shared. */
  readonly yaml?: string;
  readonly read: Read<T>;
  /** What a good value is and what to do, as the end of a sentence that begins with the bad one. */
  readonly rule: string;
  readonly fallback: T;
  /** Its text is not repeated in a complaint. */
  readonly isSecret?: true;
}

/** Declares a setting; the type of its value is that of `fallback` and `read` together. */
export function setting<T>(declared: Setting<T>): Setting<T> {
  return declared;
}

export const readText: Read<string> = (text) => text;

export const readHost: Read<string> = (text) => {
  const host = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  const isName = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(host);
  return isIP(host) !== 0 || isName ? host : null;
};

export function readWhole(min: number, max: number): Read<number> {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : null;
  };
}

/** One of a few words, in any case; `aliases` lead to one of them. */
export function readWord<W extends string>(words: readonly W[], aliases: Readonly<Record<string, W>> = {}): Read<W> {
  return (text) => {
    const word = text.toLowerCase();
    return words.find((each) => each === word) ?? aliases[word] ?? null;
  };
}

/** Comma-separated words of a set; null when one is none of them. */
export function readWords<W extends string>(words: readonly W[]): Read<readonly W[]> {
  const one = readWord(words);
  return (text) => {
    const found = splitList(text).map(one);
    return found.includes(null) ? null : [...new Set(found as W[])];
  };
}

export const readList: Read<readonly string[]> = splitList;

/** `name` or `name:hit`. */
export const readFailpoint: Read<ArmedFailpoint> = (text) => {
  const [name, hit = "1", ...rest] = text.split(":");
  const known = FAILPOINTS.find((each) => each === name);
  const count = readWhole(1, 1_000_000_000)(hit);
  return known === undefined || count === null || rest.length > 0 ? null : { name: known, hit: count };
};

/** An http or https URL without credentials, query or fragment; without a slash at the end. */
export const readBaseUrl: Read<string> = (text) => {
  const url = readUrl(text);
  return url === null || url.search !== "" || url.hash !== "" ? null : url.href.replace(/\/+$/, "");
};

/** An http or https URL without credentials. */
export const readWebUrl: Read<string> = (text) => readUrl(text)?.href ?? null;

function readUrl(text: string): URL | null {
  const url = URL.parse(text);
  const isWeb = url !== null && (url.protocol === "http:" || url.protocol === "https:");
  return isWeb && url.username === "" && url.password === "" ? url : null;
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

import { createHash } from "node:crypto";
import { excerpt, isJsonObject, type JsonObject, type JsonValue } from "@opspawn/contract";
import { type Loc, pathText } from "../issues.ts";

/** Differences that are named; the rest is counted. */
const NAMED_MAX = 3;
/** Characters of a value shown in a difference. */
const SHOWN_MAX = 40;

/** SHA-256, in hex, of a definition's canonical JSON: the same for any order of keys and any layout of the text. */
export function definitionHash(document: JsonObject): string {
  return createHash("sha256").update(canonicalJson(document)).digest("hex");
}

/** JSON with sorted keys and no blanks. Numbers keep their text: `1` and `1.0` differ. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`).join(",")}}`;
}

/**
 * One line on where two definitions differ: the first few paths, and how many more. Empty when they are the same.
 * @param known the saved definition
 * @param given the one that was to replace it
 */
export function describeDifference(known: JsonObject, given: JsonObject): string {
  const found: string[] = [];
  collect(known, given, [], found);
  const named = found.slice(0, NAMED_MAX).join("; ");
  return found.length > NAMED_MAX ? `${named}; and ${found.length - NAMED_MAX} more` : named;
}

function collect(known: JsonValue | undefined, given: JsonValue | undefined, loc: Loc, found: string[]): void {
  if (known === undefined) found.push(`${pathText(loc)} is new`);
  else if (given === undefined) found.push(`${pathText(loc)} is missing`);
  else if (Array.isArray(known) && Array.isArray(given)) {
    const length = Math.max(known.length, given.length);
    for (let at = 0; at < length; at += 1) collect(known[at], given[at], [...loc, at], found);
  } else if (isJsonObject(known) && isJsonObject(given)) {
    const keys = new Set([...Object.keys(known), ...Object.keys(given)]);
    for (const key of [...keys].sort()) collect(own(known, key), own(given, key), [...loc, key], found);
  } else if (canonicalJson(known) !== canonicalJson(given)) {
    found.push(`${pathText(loc)} is ${shown(given)}, was ${shown(known)}`);
  }
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function shown(value: JsonValue): string {
  return excerpt(canonicalJson(value), SHOWN_MAX);
}

import { type JsonValue, OpspawnError, parseJson } from "@opspawn/contract";
import { DEFINITION_LIMITS } from "./document-check.ts";
import { placeOf, TextFailure } from "./text-failure.ts";

/** Strings and punctuation; numbers and words between them do not matter here. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/gs;

/**
 * Reads JSON that a person wrote: beyond the rules for request bodies it says where a mistake is, and refuses a key that
 * is given twice.
 * @throws TextFailure for mistakes of syntax; OpspawnError as `parseJson` for limits
 */
export function readJson(text: string): JsonValue {
  const value = parsed(text);
  const twice = duplicateKey(text);
  if (twice === undefined) return value;
  throw new TextFailure(`the key ${twice.key} is given twice`, placeOf(text, twice.at));
}

function parsed(text: string): JsonValue {
  try {
    return parseJson(text, DEFINITION_LIMITS);
  } catch (error) {
    const [issue] = error instanceof OpspawnError && error.code === "json_invalid" ? (error.issues ?? []) : [];
    if (issue === undefined) throw error;
    // The offset counts characters; a text is cut in UTF-16 units.
    const before = Array.from(text).slice(0, Number(issue.loc[1])).join("");
    throw new TextFailure(issue.msg, placeOf(text, before.length));
  }
}

/** The first key, in quotes, that its object has already; the text is known to be JSON. */
function duplicateKey(text: string): { key: string; at: number } | undefined {
  const open: Set<string>[] = [];
  let last = { key: "", at: 0 };
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token !== ":") last = { key: token, at: index };
    else {
      const key = JSON.parse(last.key) as string;
      if (open.at(-1)?.has(key)) return last;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

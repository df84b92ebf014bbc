import type { JsonObject } from "@opspawn/contract";
import { compilePattern, type Pattern } from "../expressions/pattern.ts";

/** Per schema: what checking it compiled serves every validation, for as long as its plan is kept. */
const compiled = new WeakMap<JsonObject, Map<string, Pattern>>();

/** @throws ExpressionFailure when the pattern is none that may be used */
export function patternOf(root: JsonObject, source: string): Pattern {
  const patterns = compiled.get(root) ?? new Map<string, Pattern>();
  const pattern = patterns.get(source) ?? compilePattern(source);
  patterns.set(source, pattern);
  compiled.set(root, patterns);
  return pattern;
}

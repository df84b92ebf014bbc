import type { Budget } from "./budget.ts";
import { ExpressionFailure } from "./failure.ts";
import type { FunctionSpec } from "./function-spec.ts";
import { checkLength, spendText } from "./operators.ts";
import { numberOf, typeName, type Value } from "./values.ts";

/**
 * Methods of strings. Positions and sizes count characters (code points), as CEL says, never UTF-16 units: so no
 * expression can cut a character in two and make text that no database holds.
 */
export const textMethods: readonly (readonly [string, FunctionSpec])[] = [
  method("startsWith", [1], (text, [start], budget) => searched(text, start, budget, (part) => text.startsWith(part))),
  method("endsWith", [1], (text, [end], budget) => searched(text, end, budget, (part) => text.endsWith(part))),
  method("contains", [1], (text, [part], budget) => searched(text, part, budget, (found) => text.includes(found))),
  method("indexOf", [1, 2], (text, [part, from], budget) =>
    searched(text, part, budget, (found) => {
      const start = from === undefined ? 0 : unitOf(text, from);
      return positionOf(text, text.indexOf(found, start));
    }),
  ),
  method("lastIndexOf", [1, 2], (text, [part, from], budget) =>
    searched(text, part, budget, (found) => {
      const start = from === undefined ? text.length : unitOf(text, from);
      return positionOf(text, text.lastIndexOf(found, start));
    }),
  ),
  method("substring", [1, 2], (text, [from, to], budget) => {
    spendText(budget, text.length);
    const start = unitOf(text, from ?? null);
    const end = to === undefined ? text.length : unitOf(text, to);
    if (end < start) throw new ExpressionFailure("substring(): the end is before the start");
    return text.slice(start, end);
  }),
  method("lowerAscii", [0], (text, _, budget) =>
    isAscii(text) ? text.toLowerCase() : eachRun(text, /[A-Z]+/g, budget, (run) => run.toLowerCase()),
  ),
  method("upperAscii", [0], (text, _, budget) =>
    isAscii(text) ? text.toUpperCase() : eachRun(text, /[a-z]+/g, budget, (run) => run.toUpperCase()),
  ),
  method("trim", [0], (text) => text.trim()),
  method("split", [1, 2], split),
  method("replace", [2], replace),
];

type TextMethod = (text: string, args: readonly (Value | undefined)[], budget: Budget) => Value;

function method(name: string, arity: readonly number[], body: TextMethod): readonly [string, FunctionSpec] {
  const run = ([text = null, ...args]: readonly Value[], budget: Budget): Value => {
    if (typeof text !== "string") throw new ExpressionFailure(`${name}() is not defined for ${typeName(text)}`);
    spendText(budget, text.length);
    return body(text, args, budget);
  };
  return [name, { arity, run }];
}

/** Pays for a search before it runs; the worst case of looking for m characters in n is n times m. */
function searched<T>(text: string, part: Value | undefined, budget: Budget, search: (part: string) => T): T {
  const found = stringOf(part);
  budget.spend(Math.ceil((text.length * found.length) / 1024));
  return search(found);
}

function stringOf(value: Value | undefined): string {
  if (typeof value === "string") return value;
  throw new ExpressionFailure(`a string is needed here, not ${typeName(value ?? null)}`);
}

function split(text: string, [separator, limit]: readonly (Value | undefined)[], budget: Budget): string[] {
  return searched(text, separator, budget, (between) => {
    if (between === "") budget.spend(text.length);
    const parts = between === "" ? Array.from(text) : text.split(between);
    budget.spend(parts.length);
    const most = limit === undefined ? -1n : numberOf(limit);
    if (typeof most !== "bigint") throw new ExpressionFailure("split(): the limit must be an int");
    if (most === 0n) return [];
    if (most < 0n || BigInt(parts.length) <= most) return parts;
    const kept = Number(most) - 1;
    return [...parts.slice(0, kept), parts.slice(kept).join(between)];
  });
}

function replace(text: string, [from, to]: readonly (Value | undefined)[], budget: Budget): string {
  const written = stringOf(to);
  return searched(text, from, budget, (read) => {
    if (read === "") throw new ExpressionFailure("replace(): the text to replace is empty");
    const parts = text.split(read);
    budget.spend(parts.length);
    const length = text.length + parts.length * written.length;
    checkLength(length);
    spendText(budget, length);
    return parts.join(written);
  });
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** Letters beyond ASCII must stay as they are, so the others are changed run by run; there may be many short ones. */
function eachRun(text: string, runs: RegExp, budget: Budget, change: (run: string) => string): string {
  budget.spend(Math.ceil(text.length / 8));
  return text.replace(runs, change);
}

/** Where the character at a position begins, in UTF-16 units. */
function unitOf(text: string, position: Value): number {
  const wanted = numberOf(position);
  if (typeof wanted !== "bigint") throw new ExpressionFailure(`a position must be an int, not ${typeName(position)}`);
  let unit = 0;
  let left = Number(wanted);
  while (left > 0 && unit < text.length) {
    unit += isPair(text, unit) ? 2 : 1;
    left -= 1;
  }
  if (left === 0) return unit;
  throw new ExpressionFailure(`position ${wanted} is outside a string of ${charactersOf(text)} characters`);
}

/** The position of the character at a UTF-16 unit; -1 stays -1. */
function positionOf(text: string, unit: number): bigint {
  return unit < 0 ? -1n : BigInt(charactersOf(text, unit));
}

/** How many characters (code points) a text holds before a UTF-16 unit. */
export function charactersOf(text: string, end: number = text.length): number {
  let characters = 0;
  for (let unit = 0; unit < end; unit += isPair(text, unit) ? 2 : 1) characters += 1;
  return characters;
}

function isPair(text: string, unit: number): boolean {
  return (text.codePointAt(unit) ?? 0) > 0xffff;
}

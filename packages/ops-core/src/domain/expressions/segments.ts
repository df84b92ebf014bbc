import { ExpressionFailure } from "./failure.ts";

/** A piece of a string: text as it stands, or the source of an expression. */
export type Segment = { readonly text: string } | { readonly source: string };

const OPEN = "${{";

export function hasExpression(text: string): boolean {
  return text.includes(OPEN);
}

/**
 * Splits a string at its `${{ }}`. Braces and quotes inside an expression are understood, so a map literal or a string
 * may hold `}}`. A literal `${{` is written as an expression that yields it: `${{ "${{" }}`.
 * @throws ExpressionFailure when an expression is empty or never closed
 */
export function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = [];
  let from = 0;
  for (let open = text.indexOf(OPEN); open >= 0; open = text.indexOf(OPEN, from)) {
    if (open > from) segments.push({ text: text.slice(from, open) });
    const start = open + OPEN.length;
    const end = closeOf(text, start);
    const source = text.slice(start, end);
    if (source.trim() === "") throw new ExpressionFailure("nothing stands between ${{ and }}");
    segments.push({ source });
    from = end + 2;
  }
  if (from < text.length) segments.push({ text: text.slice(from) });
  return segments;
}

/**
 * The source in a text that is one expression as a whole, bare or as exactly one `${{ }}`.
 * @throws ExpressionFailure when it is empty, or holds `${{ }}` and something else
 */
export function onlySource(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") throw new ExpressionFailure("no expression stands here");
  if (!trimmed.startsWith(OPEN)) return trimmed;
  const [only, other] = segmentsOf(trimmed);
  if (only !== undefined && "source" in only && other === undefined) return only.source.trim();
  throw new ExpressionFailure(MIXED);
}

/** What is said about a place for one expression that mixes both ways to write it. */
export const MIXED = "must be one expression: write all of it inside one ${{ }}, or none of it";

/** Where the `}}` stands that closes an expression. */
function closeOf(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text[at];
    if (character === '"' || character === "'") {
      at = afterString(text, at);
      continue;
    }
    if (character === "/" && text[at + 1] === "/") {
      throw new ExpressionFailure("comments are not allowed inside ${{ }}");
    }
    if (character === "{") depth += 1;
    if (character === "}" && depth === 0 && text[at + 1] === "}") return at;
    if (character === "}") depth -= 1;
    at += 1;
  }
  throw new ExpressionFailure('"${{" is never closed by "}}"; for the characters themselves write ${{ "${{" }}');
}

/** The position after a string literal, by CEL's rules: plain, raw (`r"..."`) and triple-quoted. */
function afterString(text: string, start: number): number {
  const quote = text[start] ?? "";
  const triple = text.startsWith(quote.repeat(3), start);
  const close = triple ? quote.repeat(3) : quote;
  for (let at = start + close.length; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text.startsWith(close, at)) return at + close.length;
  }
  return text.length;
}

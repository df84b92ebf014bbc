// A small scanner for TypeScript: it knows just enough of the language to tell code from comments and literals, so
// that a rule about `Date.now` does not fire on a sentence about it. Offsets and line numbers stay the original's.

type Kind = "code" | "comment" | "literal";

interface Scan {
  readonly source: string;
  readonly kinds: Kind[];
  at: number;
}

/** The source with comments and the insides of strings, templates and regular expressions replaced by spaces. */
export function codeOnly(source: string): string {
  const kinds = classify(source);
  let text = "";
  for (let i = 0; i < source.length; i++) {
    const char = source.charAt(i);
    text += kinds[i] === "code" || char === "\n" ? char : " ";
  }
  return text;
}

function classify(source: string): Kind[] {
  const scan: Scan = { source, kinds: new Array<Kind>(source.length).fill("code"), at: 0 };
  if (source.startsWith("#!")) markUntil(scan, lineEnd(source, 0), "comment");
  scanCode(scan, false);
  return scan.kinds;
}

/** Scans to the end, or, inside a template's `${ }`, to the brace that closes it. */
function scanCode(scan: Scan, insideTemplate: boolean): void {
  const { source } = scan;
  let depth = 0;
  while (scan.at < source.length) {
    const char = source.charAt(scan.at);
    if (char === "{") depth++;
    if (char === "}" && depth-- === 0 && insideTemplate) return;
    if (!scanNonCode(scan, char)) scan.at++;
  }
}

/** @returns whether a comment or literal began here; it has been passed then */
function scanNonCode(scan: Scan, char: string): boolean {
  const { source, at } = scan;
  if (source.startsWith("//", at)) markUntil(scan, lineEnd(source, at), "comment");
  else if (source.startsWith("/*", at)) markUntil(scan, endOf(source, "*/", at + 2), "comment");
  else if (char === '"' || char === "'") scanQuoted(scan, char);
  else if (char === "`") scanTemplate(scan);
  else if (char === "/" && regexMayStart(source, at)) scanRegex(scan);
  else return false;
  return true;
}

function scanQuoted(scan: Scan, quote: string): void {
  const { source } = scan;
  let end = scan.at + 1;
  while (end < source.length && source[end] !== quote && source[end] !== "\n") end += source[end] === "\\" ? 2 : 1;
  scan.at++;
  markUntil(scan, end, "literal");
  scan.at++;
}

function scanTemplate(scan: Scan): void {
  const { source } = scan;
  scan.at++;
  while (scan.at < source.length && source[scan.at] !== "`") {
    if (source.startsWith("${", scan.at)) {
      scan.at += 2;
      scanCode(scan, true);
      scan.at++;
    } else {
      markUntil(scan, scan.at + (source[scan.at] === "\\" ? 2 : 1), "literal");
    }
  }
  scan.at++;
}

function scanRegex(scan: Scan): void {
  const { source } = scan;
  let end = scan.at + 1;
  let inClass = false;
  while (end < source.length && source[end] !== "\n" && (inClass || source[end] !== "/")) {
    if (source[end] === "[") inClass = true;
    if (source[end] === "]") inClass = false;
    end += source[end] === "\\" ? 2 : 1;
  }
  scan.at++;
  markUntil(scan, end, "literal");
  scan.at++;
}

/** A slash divides after a value, and opens a regular expression anywhere else. */
function regexMayStart(source: string, at: number): boolean {
  const before = source.slice(Math.max(0, at - 80), at).trimEnd();
  if (/\b(return|typeof|case|in|of|do|else|void|delete|await|yield)$/.test(before)) return true;
  return !/[\w$)\]"'`]$/.test(before);
}

function markUntil(scan: Scan, end: number, kind: Kind): void {
  scan.kinds.fill(kind, scan.at, end);
  scan.at = end;
}

function lineEnd(source: string, from: number): number {
  const end = source.indexOf("\n", from);
  return end === -1 ? source.length : end;
}

function endOf(source: string, closing: string, from: number): number {
  const end = source.indexOf(closing, from);
  return end === -1 ? source.length : end + closing.length;
}

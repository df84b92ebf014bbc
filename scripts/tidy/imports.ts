import { lineAt } from "./finding.ts";
import { codeOnly } from "./source-text.ts";

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** `from "x"`, `import "x"`, `import("x")` (in types too) and `require("x")`, with the quoted text blanked out. */
const IMPORT = /\b(?:from|import|import\s*\(|require\s*\()\s*(["'])( *)\1/g;

/** Every module a source names, type-only imports and re-exports included. */
export function importsOf(source: string): Import[] {
  return [...codeOnly(source).matchAll(IMPORT)].map((match) => {
    const end = match.index + match[0].length - 1;
    return { specifier: source.slice(end - (match[2] ?? "").length, end), line: lineAt(source, match.index) };
  });
}

import { type Finding, isCode, isTestCode, lineAt, type Rule } from "./finding.ts";
import { importsOf } from "./imports.ts";
import { codeOnly } from "./source-text.ts";

interface Place {
  readonly rule: string;
  /** What may not be named ... */
  readonly pattern: RegExp;
  /** ... and which modules may not be imported, because they are another way to the same thing. */
  readonly modules: readonly string[];
  readonly allowedIn: RegExp;
  readonly inTestsToo: boolean;
  readonly message: string;
}

const CONFIG = /^packages\/[^/]+\/src\/config\.ts$/;
const SYSTEM = /^packages\/([^/]+\/src\/clock\.ts$|ops-core\/src\/system\/)/;

/** The outside world enters the packages in few places, so that everything else can be tested without it. */
const PLACES: readonly Place[] = [
  {
    rule: "environment",
    pattern: /\bprocess\s*\??\.\s*env\b/g,
    modules: ["node:process", "process"],
    allowedIn: CONFIG,
    inTestsToo: false,
    message: "reads the environment; only a package's config.ts does, and passes typed values on",
  },
  {
    rule: "clock",
    pattern:
      /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?!\s*[(\w]))|\bperformance\s*\.\s*now\b|\bprocess\s*\.\s*hrtime\b/g,
    modules: [],
    allowedIn: SYSTEM,
    inTestsToo: false,
    message: "reads the real clock; take a clock as an argument",
  },
  {
    rule: "random",
    pattern: /\bMath\s*\.\s*random\b|\brandom(?:UUID(?:v7)?|Bytes|Int|Fill|FillSync)\b|\bgetRandomValues\b/g,
    modules: [],
    allowedIn: SYSTEM,
    inTestsToo: false,
    message: "makes its own randomness; take ids or random bytes as an argument",
  },
  {
    rule: "timers",
    pattern: /(?<![.\w])(?:globalThis\s*\.\s*)?set(?:Timeout|Interval)\b/g,
    modules: ["node:timers", "node:timers/promises", "timers", "timers/promises"],
    allowedIn: SYSTEM,
    inTestsToo: true,
    message: "waits on the real clock; use the injected one (tests: a fake one, and tick())",
  },
];

export const places: Rule = ({ files, read }) =>
  files.filter((file) => file.startsWith("packages/") && isCode(file)).flatMap((file) => checkFile(file, read(file)));

function checkFile(file: string, source: string): Finding[] {
  const code = codeOnly(source);
  const imports = importsOf(source);
  return PLACES.filter((place) => !place.allowedIn.test(file) && (place.inTestsToo || !isTestCode(file))).flatMap(
    ({ rule, pattern, modules, message }) => [
      ...[...code.matchAll(pattern)].map((match) => ({
        rule,
        file,
        line: lineAt(source, match.index),
        message: `${match[0].trim()} ${message}`,
      })),
      ...imports
        .filter(({ specifier }) => modules.includes(specifier))
        .map(({ specifier, line }) => ({ rule, file, line, message: `${specifier} ${message}` })),
    ],
  );
}

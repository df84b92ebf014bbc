import { type Finding, isCode, isTestCode, lineAt, type Rule } from "./finding.ts";
import { codeOnly } from "./source-text.ts";

interface Word {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly where: (file: string) => boolean;
  /** Whether comments and strings are left out. */
  readonly codeOnly: boolean;
  readonly message: string;
}

/** Assembled, so that this file does not contain what it forbids. */
const anyOf = (...words: string[]): RegExp => new RegExp(`\\b(?:${words.join("|")})\\b`, "g");

const TEXT = /(?:\.(?:ts|mts|mjs|js|json|md|sql|ya?ml|sh|html|css|txt)|\/run)$/;

const isText = (file: string): boolean => TEXT.test(file) && file !== "package-lock.json";
const isSource = (file: string): boolean => isText(file) && !/\.(md|txt|json)$/.test(file);

const WORDS: readonly Word[] = [
  {
    rule: "machine-path",
    pattern: /(?<![\w.\-/:@}])\/(?:(?:root|work|tmp)(?![\w-])|(?:home|Users)\/\w)/g,
    where: isText,
    codeOnly: false,
    message: "is a path of one machine; use os.tmpdir(), a parameter or a path from the repository's root",
  },
  {
    rule: "open-work",
    pattern: anyOf("TO" + "DO", "FIX" + "ME", "X" + "XX", "[Nn]ot " + "implemented"),
    where: isSource,
    codeOnly: false,
    message: "leaves work open; do it, or open an issue and leave it out",
  },
  {
    rule: "suppression",
    pattern: anyOf(
      "biome" + "-ignore(?!-?\\w* format:)",
      "ts" + "-expect-error",
      "ts" + "-nocheck",
      "node:" + "coverage",
      "[cv]8 " + "ignore",
    ),
    where: isSource,
    codeOnly: false,
    message: "switches a check off; mend the code, or argue for an entry in scripts/tidy/exemptions.ts",
  },
  {
    rule: "partial-tests",
    pattern: /\b(?:test|it|describe|suite|t)\s*\.\s*(?:only|skip|todo)\b|[{,]\s*(?:only|skip|todo)\s*:/g,
    where: isTestCode,
    codeOnly: true,
    message: "leaves tests out; a test runs or does not exist",
  },
];

export const words: Rule = ({ files, read }) =>
  files
    .filter(isText)
    .flatMap((file) => WORDS.flatMap((word) => (word.where(file) ? find(word, file, read(file)) : [])));

function find(word: Word, file: string, source: string): Finding[] {
  const text = word.codeOnly && isCode(file) ? codeOnly(source) : source;
  return [...text.matchAll(word.pattern)].map((match) => ({
    rule: word.rule,
    file,
    line: lineAt(source, match.index),
    message: `"${match[0].trim()}" ${word.message}`,
  }));
}

import type { Rule } from "./finding.ts";

/** What stands in the root, each for a reason a newcomer can guess. */
const ROOT = new Set([
  ".ci",
  ".editorconfig",
  ".github",
  ".gitignore",
  ".npmrc",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "STYLE.md",
  "benchmarks",
  "biome.json",
  "docs",
  "examples",
  "knip.json",
  "package-lock.json",
  "package.json",
  "packages",
  "scripts",
  "test",
  "tsconfig.json",
]);

const ROOT_LIMIT = 25;

const ATTIC = /^(?:utils?|misc)(?:\.|$)/;
const PRODUCT = /(?:^|\/)(?:node_modules|dist|coverage|\.cache|\.opspawn)\/|\.(?:log|db|sqlite|db-wal|tgz)$/;

/** The root's allow-list. Only tracked files count: what somebody leaves lying about in a checkout is theirs. */
export const rootFolder: Rule = ({ tracked }) => {
  const entries = new Set(tracked.map((file) => file.split("/", 1)[0] ?? file));
  const strangers = [...entries].filter((entry) => !ROOT.has(entry));
  const findings = strangers.map((file) => ({
    rule: "root-folder",
    file,
    message: "does not belong in the root; move it, or add it to the list in scripts/tidy/file-names.ts",
  }));
  if (entries.size <= ROOT_LIMIT) return findings;
  return [
    ...findings,
    { rule: "root-folder", file: ".", message: `has ${entries.size} entries, at most ${ROOT_LIMIT}` },
  ];
};

export const fileNames: Rule = ({ files, tracked }) => [
  ...files
    .filter((file) => file.split("/").some((part) => ATTIC.test(part)))
    .map((file) => ({ rule: "file-names", file, message: "is an attic; name the thing (duration.ts, cursor.ts)" })),
  ...tracked
    .filter((file) => PRODUCT.test(file))
    .map((file) => ({ rule: "file-names", file, message: "is a product, not a source; remove it from git" })),
];

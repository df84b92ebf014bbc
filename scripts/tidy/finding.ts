/** One place that breaks a rule. `line` counts from 1; `message` says what to do. */
export interface Finding {
  readonly rule: string;
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** The files a rule looks at. Tests plant violations by giving a tree that exists only in memory. */
export interface Tree {
  /** Paths from the repository's root, with forward slashes: what is tracked, and what could be. */
  readonly files: readonly string[];
  /** The tracked ones only. */
  readonly tracked: readonly string[];
  /** The text of one of `files`. */
  readonly read: (file: string) => string;
}

export type Rule = (tree: Tree) => Finding[];

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

const CODE = /\.(ts|mts|mjs|js)$/;

export function isCode(file: string): boolean {
  return CODE.test(file);
}

/** Tests, and the files that exist only for them: shared suites, fakes, fixtures. */
export function isTestCode(file: string): boolean {
  return /\.(test|suite|fake|fixture)\.ts$|\/(src\/(.+\/)?testing\/|(test|fake)-[^/]+\.ts$)/.test(file);
}

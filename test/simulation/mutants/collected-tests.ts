/**
 * Stands in for `node:test` where tests are run again and again: takes note of what a file declares. Only what our own
 * unit tests use of it is there, so that a file which needs more fails to load instead of being judged by less.
 */
import { registerHooks } from "node:module";

export interface CollectedTest {
  readonly title: string;
  /** Runs it once more. Rejects when it fails. */
  readonly run: () => Promise<void>;
}

type Hook = () => unknown;
type Body = (context: { readonly after: (hook: Hook) => void }) => unknown;

interface Declared {
  readonly tests: CollectedTest[];
  readonly before: Hook[];
  readonly after: Hook[];
}

/** The file that is being loaded. */
let file: Declared = { tests: [], before: [], after: [] };

export function test(title: string, body: Body): void {
  const { before, after } = file;
  file.tests.push({ title, run: () => runOnce(body, before, after) });
}

export function beforeEach(hook: Hook): void {
  file.before.push(hook);
}

export function afterEach(hook: Hook): void {
  file.after.push(hook);
}

async function runOnce(body: Body, before: readonly Hook[], after: readonly Hook[]): Promise<void> {
  const own: Hook[] = [];
  try {
    for (const hook of before) await hook();
    await body({ after: (hook) => own.push(hook) });
  } finally {
    for (const hook of [...own, ...after]) await hook();
  }
}

/** Loads test files, each with this module in the place of `node:test`, and answers what they declare. */
export async function collectTests(files: readonly URL[]): Promise<CollectedTest[]> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "node:test" ? { url: import.meta.url, shortCircuit: true } : next(specifier, context),
  });
  try {
    const tests: CollectedTest[] = [];
    for (const url of files) {
      file = { tests: [], before: [], after: [] };
      await import(url.href);
      tests.push(...file.tests);
    }
    return tests;
  } finally {
    hooks.deregister();
  }
}

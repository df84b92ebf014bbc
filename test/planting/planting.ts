import { registerHooks } from "node:module";

/** A bug that is put into the product: places of one source file, replaced while it is loaded. */
export interface Planted {
  readonly name: string;
  /** Below packages/ops-core/src. */
  readonly file: string;
  readonly changes: readonly { readonly from: string; readonly to: string }[];
}

/** The source with the bug in it. @throws Error when the source has changed so that the bug has no place in it */
export function plant(bug: Planted, source: string): string {
  return bug.changes.reduce((text, { from, to }) => {
    const parts = text.split(from);
    if (parts.length !== 2) {
      throw new Error(`planted bug ${bug.name}: ${bug.file} has ${parts.length - 1} places like ${from}; adapt it`);
    }
    return parts.join(to);
  }, source);
}

/** Where a file of the product is. */
export function productFile(file: string): URL {
  return new URL(`../../packages/ops-core/src/${file}`, import.meta.url);
}

/** Changes sources of the product while Node loads them. Answers which files were loaded so far. */
export function plantOnLoad(changes: ReadonlyMap<string, (source: string) => string>): ReadonlySet<string> {
  const byUrl = new Map([...changes].map(([file, change]) => [productFile(file).href, { file, change }]));
  const loadedFiles = new Set<string>();
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const planted = byUrl.get(url);
      if (planted === undefined) return loaded;
      loadedFiles.add(planted.file);
      return { ...loaded, source: planted.change(String(loaded.source)) };
    },
  });
  return loadedFiles;
}

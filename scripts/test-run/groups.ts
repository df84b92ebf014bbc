import { writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** What gets a process of its own. */
export interface TestProcess {
  /** What to call it in a line. */
  readonly name: string;
  /** The file it runs, absolute. */
  readonly file: string;
}

/** So many files share a process at most: enough that loading counts little, few enough that all cores have work. */
const SHARE = 36;

/** Tests that start processes or take long. What others take is mostly the loading of what they test. */
const ALONE = /^(scripts\/[^/]+$|test\/(e2e|simulation)\/[^/]+$)|\/sqlite\/(store|store-on-disk|crashes)\.test/;

/**
 * Puts neighbours into one process, each file as a suite of its own, so that hooks at its top concern it alone.
 * @param files paths from the root, with slashes
 * @param folder for the files that load the others
 */
export function groupFiles(root: string, files: readonly string[], folder: string): TestProcess[] {
  const places = new Map<string, string[]>();
  for (const file of files) {
    const place = ALONE.test(file) ? file : placeOf(file);
    places.set(place, [...(places.get(place) ?? []), file]);
  }
  return [...places].flatMap(([place, members]) =>
    evenly(members).map((share, index): TestProcess => {
      const [first] = share;
      if (share.length === 1 && first !== undefined) return { name: first, file: path.join(root, first) };
      const file = path.join(folder, `${place.replaceAll("/", "-")}-${index + 1}.mjs`);
      writeFileSync(file, loading(root, share));
      return { name: `${place}, ${share.length} files`, file };
    }),
  );
}

/** The package, or what stands for one. */
function placeOf(file: string): string {
  return file.split("/").slice(0, -1).slice(0, 3).join("/");
}

function evenly(members: readonly string[]): string[][] {
  const shares = Math.ceil(members.length / SHARE);
  const each = Math.ceil(members.length / shares);
  return Array.from({ length: shares }, (_, index) => members.slice(index * each, (index + 1) * each));
}

function loading(root: string, files: readonly string[]): string {
  const suites = files.map((file) => {
    const url = pathToFileURL(path.join(root, file)).href;
    return `suite(${JSON.stringify(file)}, () => import(${JSON.stringify(url)}));`;
  });
  return ['import { suite } from "node:test";', ...suites, ""].join("\n");
}

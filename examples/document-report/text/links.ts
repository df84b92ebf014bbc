import { readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { SourceFile } from "./documents.ts";
import { anchorsOf, linkTargetsOf } from "./link-targets.ts";

export interface BrokenLink {
  readonly path: string;
  readonly line: number;
  readonly target: string;
  readonly reason: string;
}

export interface LinksResult {
  /** All links found. */
  readonly links: number;
  /** Links that lead to a file, a folder or a heading and were followed. */
  readonly followed: number;
  /** Links to other machines: nothing here uses the network. */
  readonly external: number;
  /** Links that leave the folder that may be looked at. */
  readonly outside: number;
  readonly brokenCount: number;
  readonly broken: readonly BrokenLink[];
}

const LISTED = 40;
const EXTERNAL = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;
const LINE_ANCHOR = /^L\d+(?:-L\d+)?$/;
const LARGEST_FILE = 2_000_000;

type Verdict = { readonly type: "ok" | "external" | "outside" } | { readonly type: "broken"; readonly reason: string };

/** Follows every relative link and anchor of the files through the folder `root`, and never leaves it. */
export async function checkLinks(root: string, files: readonly SourceFile[]): Promise<LinksResult> {
  const tree = new FileTree(await realpath(root), files);
  const verdicts: Verdict[] = [];
  const broken: BrokenLink[] = [];
  for (const file of files) {
    const { targets, undefinedLabels } = linkTargetsOf(file.text);
    for (const { line, target } of targets) {
      const verdict = await tree.follow(file.path, target);
      verdicts.push(verdict);
      if (verdict.type === "broken") broken.push({ path: file.path, line, target, reason: verdict.reason });
    }
    for (const { line, target } of undefinedLabels) {
      const reason = "no line defines this label";
      verdicts.push({ type: "broken", reason });
      broken.push({ path: file.path, line, target: `[${target}]`, reason });
    }
  }
  const count = (type: Verdict["type"]): number => verdicts.filter((verdict) => verdict.type === type).length;
  return {
    links: verdicts.length,
    followed: count("ok") + count("broken"),
    external: count("external"),
    outside: count("outside"),
    brokenCount: broken.length,
    broken: broken.slice(0, LISTED),
  };
}

class FileTree {
  readonly #root: string;
  readonly #texts: Map<string, string>;
  readonly #anchors = new Map<string, Set<string>>();

  constructor(root: string, files: readonly SourceFile[]) {
    this.#root = root;
    this.#texts = new Map(files.map(({ path: name, text }) => [name, text]));
  }

  async follow(from: string, target: string): Promise<Verdict> {
    if (target === "") return { type: "broken", reason: "the target is empty" };
    if (EXTERNAL.test(target)) return { type: "external" };
    const [, rawFile = "", rawAnchor = ""] = /^([^#?]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(target) ?? [];
    const file = decoded(rawFile);
    const anchor = decoded(rawAnchor);
    const name = file.startsWith("/") ? path.posix.join(".", file) : path.posix.join(path.posix.dirname(from), file);
    const found = file === "" ? from : path.posix.normalize(name);
    if (found === ".." || found.startsWith("../")) return { type: "outside" };
    const kind = this.#texts.has(found) ? "file" : await this.#kindOf(found);
    if (kind === "outside") return { type: "outside" };
    if (kind === "missing") return { type: "broken", reason: "there is no such file" };
    if (anchor === "" || kind === "folder" || !/\.(?:md|markdown)$/i.test(found)) return { type: "ok" };
    if (LINE_ANCHOR.test(anchor) || (await this.#anchorsOf(found)).has(anchor)) return { type: "ok" };
    return { type: "broken", reason: `no heading there gives the anchor #${anchor}` };
  }

  async #kindOf(name: string): Promise<"file" | "folder" | "missing" | "outside"> {
    try {
      // A link in the file system may lead out of the folder although the name does not.
      const real = await realpath(path.join(this.#root, name));
      if (real !== this.#root && !real.startsWith(this.#root + path.sep)) return "outside";
      return (await stat(real)).isDirectory() ? "folder" : "file";
    } catch {
      return "missing";
    }
  }

  async #anchorsOf(name: string): Promise<Set<string>> {
    const known = this.#anchors.get(name);
    if (known !== undefined) return known;
    const anchors = anchorsOf(this.#texts.get(name) ?? (await this.#read(name)));
    this.#anchors.set(name, anchors);
    return anchors;
  }

  async #read(name: string): Promise<string> {
    const file = path.join(this.#root, name);
    return (await stat(file)).size > LARGEST_FILE ? "" : readFile(file, "utf8");
  }
}

/** `%20` and the like; text that is no valid encoding stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

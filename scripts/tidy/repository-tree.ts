import { execFileSync } from "node:child_process";
import { globSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Tree } from "./finding.ts";

const NOT_OURS = ["node_modules", ".git", ".cache", ".opspawn", "dist", "coverage"];

/** The checkout as git sees it; without git (a downloaded archive) the folder as it is. */
export function repositoryTree(root: string): Tree {
  const texts = new Map<string, string>();
  const read = (file: string): string => {
    const known = texts.get(file);
    if (known !== undefined) return known;
    const text = readFileSync(path.join(root, file), "utf8");
    texts.set(file, text);
    return text;
  };
  return { ...list(root), read };
}

function list(root: string): Pick<Tree, "files" | "tracked"> {
  try {
    const tracked = git(root, ["--cached"]);
    return { tracked, files: [...tracked, ...git(root, ["--others", "--exclude-standard"])] };
  } catch {
    const files = globSync("**/*", { cwd: root, exclude: (name) => NOT_OURS.includes(path.basename(name)) })
      .map((file) => file.split(path.sep).join("/"))
      .filter((file) => isFile(root, file));
    return { tracked: files, files };
  }
}

function git(root: string, kind: string[]): string[] {
  const names = execFileSync("git", ["ls-files", "-z", ...kind], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 2 ** 26,
  }).split("\0");
  return names.filter((name) => name !== "" && isFile(root, name));
}

function isFile(root: string, name: string): boolean {
  return statSync(path.join(root, name), { throwIfNoEntry: false })?.isFile() ?? false;
}

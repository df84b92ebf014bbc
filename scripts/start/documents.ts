import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { SourceFile } from "../../examples/document-report/text/documents.ts";
import { StartError } from "./start-error.ts";

/** What the workflow is started with. */
export interface Documents {
  /** The folder that links are followed in. */
  readonly root: string;
  readonly files: readonly SourceFile[];
  /** Files that would have made the message too large. */
  readonly leftOut: readonly string[];
}

/**
 * Bytes of JSON that the texts may take. One payload of the platform holds 256 KB; the split adds the place of each
 * sentence to the text.
 */
export const MOST_BYTES = 160_000;

/** Read in this order, as far as there is room. */
const DEFAULT_FILES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "STYLE.md", "SECURITY.md", "docs/**/*.md"];

/** Reads the files that were asked for, or the repository's documentation. Throws StartError. */
export function readDocuments(files: readonly string[], repository: string): Documents {
  return files.length === 0 ? readRepository(repository) : readChosen(files);
}

function readChosen(files: readonly string[]): Documents {
  const root = commonRoot(files);
  const read = files.map((file) => readText(file, path.relative(root, file).replaceAll(path.sep, "/")));
  const size = read.reduce((sum, file) => sum + sizeOf(file), 0);
  if (size > MOST_BYTES) {
    const what = files.length === 1 ? `${files[0]} has` : "These files have";
    throw refusal(
      `${what} ${kilobytes(size)}; a task of this workflow takes ${kilobytes(MOST_BYTES)} of text at most. ` +
        "Choose a smaller file, or a part of it.",
    );
  }
  return { root, files: read, leftOut: [] };
}

function readRepository(root: string): Documents {
  const names = [...new Set(DEFAULT_FILES.flatMap((pattern) => globSync(pattern, { cwd: root }).sort()))];
  const files: SourceFile[] = [];
  const leftOut: string[] = [];
  let size = 0;
  for (const name of names) {
    const file = readText(path.join(root, name), name.replaceAll(path.sep, "/"));
    if (size + sizeOf(file) > MOST_BYTES) {
      leftOut.push(file.path);
    } else {
      files.push(file);
      size += sizeOf(file);
    }
  }
  if (files.length === 0) throw refusal("This copy has no documentation. Name a file: npm start -- --file PATH");
  return { root, files, leftOut };
}

function readText(file: string, name: string): SourceFile {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) throw refusal(`There is no file ${file}.`);
  if (!stats.isFile()) throw refusal(`${file} is not a file. Name a text file, such as notes.md.`);
  if (stats.size > 50 * MOST_BYTES) throw refusal(`${file} has ${kilobytes(stats.size)}. Choose a smaller file.`);
  const text = decode(file);
  if (text.trim() === "") throw refusal(`${file} is empty. Choose a file with some text in it.`);
  return { path: name, text };
}

function decode(file: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
    if (!text.includes("\0")) return text;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "EACCES") throw refusal(`${file} may not be read. Check its permissions.`);
  }
  throw refusal(`${file} is not a text file in UTF-8. Choose a plain text or Markdown file.`);
}

function refusal(message: string): StartError {
  return new StartError(message, 2);
}

function sizeOf(file: SourceFile): number {
  return Buffer.byteLength(JSON.stringify(file));
}

/** The repository the files are in, or the folder that holds them all. */
function commonRoot(files: readonly string[]): string {
  let folder = path.dirname(files[0] ?? "");
  while (!files.every((file) => file.startsWith(folder + path.sep) || path.dirname(file) === folder)) {
    folder = path.dirname(folder);
  }
  for (let at = folder; at !== path.dirname(at); at = path.dirname(at)) {
    if (existsSync(path.join(at, ".git"))) return at;
  }
  return folder;
}

export function kilobytes(bytes: number): string {
  return bytes < 1_000 ? `${bytes} bytes` : `${Math.round(bytes / 1_000).toLocaleString("en-US")} KB`;
}

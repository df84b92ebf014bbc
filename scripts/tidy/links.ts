import path from "node:path";
import { type Finding, lineAt, type Rule, type Tree } from "./finding.ts";

const LINK = /\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const ELSEWHERE = /^(?:[a-z][a-z\d+.-]*:|\/\/)/i;

/** Links in Markdown lead to files, folders and headings that exist. Links to other sites are not followed. */
export const links: Rule = (tree) => {
  const known = new Set(tree.files.flatMap(withFolders));
  return tree.files.filter((file) => file.endsWith(".md")).flatMap((file) => checkFile(tree, known, file));
};

function checkFile(tree: Tree, known: ReadonlySet<string>, file: string): Finding[] {
  const text = withoutCode(tree.read(file));
  return [...text.matchAll(LINK)].flatMap((match) => {
    const problem = judge(tree, known, file, match[1] ?? "");
    return problem === undefined ? [] : [{ rule: "links", file, line: lineAt(text, match.index), message: problem }];
  });
}

function judge(tree: Tree, known: ReadonlySet<string>, file: string, link: string): string | undefined {
  if (ELSEWHERE.test(link)) return undefined;
  const [place = "", heading] = decodeURI(link).split("#", 2);
  const target = place === "" ? file : path.posix.join(path.posix.dirname(file), place).replace(/\/$/, "");
  if (!known.has(target)) return `links to ${link}, which does not exist`;
  if (heading === undefined || !target.endsWith(".md")) return undefined;
  return headingsOf(tree.read(target)).has(heading) ? undefined : `links to ${link}, but there is no such heading`;
}

/** The anchors that code hosts make of headings: lower case, spaces to hyphens, punctuation dropped. */
function headingsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ""] of withoutCode(markdown, false).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    let name = anchor;
    for (let n = 1; anchors.has(name); n++) name = `${anchor}-${n}`;
    anchors.add(name);
  }
  return anchors;
}

/** Blanks out code blocks, and code within lines unless `inline` is false, keeping offsets. */
function withoutCode(markdown: string, inline = true): string {
  const blank = (text: string): string => text.replace(/[^\n]/g, " ");
  const text = markdown.replace(/^ *(```+|~~~+)[^\n]*\n[\s\S]*?^ *\1 *$/gm, blank);
  return inline ? text.replace(/`[^`\n]*`/g, blank) : text;
}

function withFolders(file: string): string[] {
  const parts = file.split("/");
  return parts.map((_, i) => parts.slice(0, i + 1).join("/")).concat(".");
}

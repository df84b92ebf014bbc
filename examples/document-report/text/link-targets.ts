import { blocksOf } from "./markdown.ts";
import { proseOf } from "./prose.ts";

export interface LinkTarget {
  readonly line: number;
  readonly target: string;
}

export interface LinkTargets {
  readonly targets: readonly LinkTarget[];
  /** Labels that are used, `[text][label]`, and defined nowhere. */
  readonly undefinedLabels: readonly LinkTarget[];
}

/** The target is in angle brackets, or ends at a blank; pairs of round brackets may stand in it. A title may follow. */
const INLINE = /\]\(\s*(?:<([^<>]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/g;
const DEFINITION = /^ {0,3}\[([^\]]+)\]:\s*(?:<([^<>]*)>|(\S+))/;
const REFERENCE = /\[[^\]]+\]\[([^\]]+)\]/g;
const HTML_LINK = /<(?:a|img)\s[^>]*?(?:href|src)\s*=\s*["']([^"']*)["']/gi;

/** All links and images of a Markdown file, outside code. */
export function linkTargetsOf(source: string): LinkTargets {
  const targets: LinkTarget[] = [];
  const used: LinkTarget[] = [];
  const defined = new Set<string>();
  for (const { text, line } of linesOutsideCode(source)) {
    const definition = DEFINITION.exec(text);
    if (definition !== null) {
      defined.add((definition[1] ?? "").toLowerCase());
      targets.push({ line, target: definition[2] ?? definition[3] ?? "" });
      continue;
    }
    for (const match of text.matchAll(INLINE)) targets.push({ line, target: match[1] ?? match[2] ?? "" });
    for (const match of text.matchAll(HTML_LINK)) targets.push({ line, target: match[1] ?? "" });
    for (const match of text.matchAll(REFERENCE)) used.push({ line, target: match[1] ?? "" });
  }
  return { targets, undefinedLabels: used.filter(({ target }) => !defined.has(target.toLowerCase())) };
}

/** The anchors a file offers, made from its headings as GitHub does, and those set by hand. */
export function anchorsOf(source: string): Set<string> {
  const anchors = new Set<string>();
  for (const { kind, text } of blocksOf(source)) {
    if (kind !== "heading") continue;
    const slug = slugOf(proseOf(text));
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  for (const { text } of linesOutsideCode(source)) {
    for (const match of text.matchAll(/<[a-z][^>]*?\s(?:id|name)\s*=\s*["']([^"']+)["']/gi))
      anchors.add(match[1] ?? "");
  }
  return anchors;
}

function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\s-]/gu, "")
    .replace(/\s/g, "-");
}

function linesOutsideCode(source: string): { line: number; text: string }[] {
  const code = new Set<number>();
  for (const { kind, line, text } of blocksOf(source)) {
    if (kind !== "code") continue;
    for (let i = 0; i < text.split("\n").length; i++) code.add(line + i);
  }
  return source
    .split(/\r\n|\r|\n/)
    .map((text, i) => ({
      line: i + 1,
      text: text.replace(/(`+)(?!`).*?[^`]\1(?!`)/g, (span) => "x".repeat(span.length)),
    }))
    .filter(({ line }) => !code.has(line));
}

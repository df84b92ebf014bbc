import type { Outline, Section } from "./documents.ts";

export interface StructureFinding {
  readonly path: string;
  readonly line: number;
  readonly problem: string;
}

export interface StructureResult {
  readonly files: number;
  readonly lines: number;
  readonly words: number;
  readonly sentences: number;
  readonly paragraphs: number;
  readonly sections: number;
  readonly codeBlocks: number;
  /** Of all lines, from 0 to 1. */
  readonly codeShare: number;
  readonly tables: number;
  readonly findings: readonly StructureFinding[];
}

/** Words above which a section would be easier to find one's way in with a heading more. */
const LONG_SECTION = 500;

/** Adds up the outlines and looks at the headings: their order, their names, what stands under them. */
export function structureOf(outlines: readonly Outline[]): StructureResult {
  const sum = (count: (outline: Outline) => number): number => outlines.reduce((all, each) => all + count(each), 0);
  const lines = sum((outline) => outline.lines);
  return {
    files: outlines.length,
    lines,
    words: sum((outline) => outline.words),
    sentences: sum((outline) => outline.sentences),
    paragraphs: sum((outline) => outline.paragraphs),
    sections: sum((outline) => outline.sections.length),
    codeBlocks: sum((outline) => outline.codeBlocks),
    codeShare: lines === 0 ? 0 : Math.round((sum((outline) => outline.codeLines) / lines) * 1000) / 1000,
    tables: sum((outline) => outline.tables),
    findings: outlines.flatMap(findingsIn),
  };
}

function findingsIn({ path, sections, words }: Outline): StructureFinding[] {
  const titles = sections.filter(({ level }) => level === 1);
  const findings: StructureFinding[] = [];
  if (titles.length === 0 && words > 0)
    findings.push({ path, line: 1, problem: "has no title (a heading of level 1)" });
  for (const extra of titles.slice(1)) {
    findings.push({ path, line: extra.line, problem: `is a second title: "${extra.heading}"` });
  }
  sections.forEach((section, at) => {
    const problem = problemOf(section, sections.slice(0, at));
    if (problem !== null) findings.push({ path, line: section.line, problem });
  });
  return findings;
}

function problemOf(section: Section, earlier: readonly Section[]): string | null {
  const { level, heading, words, empty } = section;
  const before = earlier.at(-1);
  if (heading === "") return "is a heading without text";
  if (before !== undefined && level > before.level + 1)
    return `jumps from level ${before.level} to ${level}: "${heading}"`;
  if (empty) return `has nothing under its heading: "${heading}"`;
  if (siblings(section, earlier).some((other) => other.heading.toLowerCase() === heading.toLowerCase())) {
    return `repeats the heading "${heading}"`;
  }
  if (words > LONG_SECTION) return `is long, ${words} words under one heading: "${heading}"`;
  return null;
}

/** Earlier sections under the same parent: the same name under another one is no repetition. */
function siblings({ level }: Section, earlier: readonly Section[]): Section[] {
  const parent = earlier.findLastIndex((other) => other.level < level);
  return earlier.slice(parent + 1).filter((other) => other.level === level);
}

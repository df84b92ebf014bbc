import type { KeyPhrasesResult } from "./key-phrases.ts";
import type { LinksResult } from "./links.ts";
import { LONG, type Readability, type ReadabilityResult } from "./readability.ts";
import { listItem, paragraph, table } from "./report-text.ts";
import type { StructureResult } from "./structure.ts";

/** What a branch of the workflow found, or why it found nothing. */
export interface Branch<T> {
  readonly result: T | null;
  readonly error: { readonly message: string } | null;
}

export interface ReportInput {
  readonly structure: Branch<StructureResult>;
  readonly readability: Branch<ReadabilityResult>;
  readonly keyPhrases: Branch<KeyPhrasesResult>;
  readonly links: Branch<LinksResult>;
}

const WORDS_PER_MINUTE = 220;
const LISTED = 15;

/** Merges what the branches found into Markdown of at most 80 columns. A branch that failed is named, not left out. */
export function reportOf(input: ReportInput): string {
  const sections = [
    section("Report on the documents", 1, input.structure, overview),
    section("Readability", 2, input.readability, readability),
    section("Key phrases", 2, input.keyPhrases, keyPhrases),
    section("Links", 2, input.links, links),
    section("Structure", 2, input.structure, findings),
  ];
  return `${sections.join("\n\n")}\n`;
}

function section<T>(title: string, level: number, branch: Branch<T>, write: (result: T) => string[]): string {
  const heading = `${"#".repeat(level)} ${title}`;
  return [heading, ...(branch.result === null ? [missing(branch.error)] : write(branch.result))].join("\n\n");
}

function missing(error: { readonly message: string } | null): string {
  return paragraph(`This could not be looked at: ${error?.message ?? "the step did not run"}.`);
}

function overview(all: StructureResult): string[] {
  const minutes = Math.max(1, Math.round(all.words / WORDS_PER_MINUTE));
  return [
    paragraph(
      `${count(all.files, "file")}, ${count(all.lines, "line")}: ${count(all.words, "word")} of running text in ` +
        `${count(all.sentences, "sentence")} and ${count(all.paragraphs, "paragraph")}, under ` +
        `${count(all.sections, "heading")}. ${code(all)}About ${count(minutes, "minute")} to read.`,
    ),
  ];
}

function code({ codeBlocks, codeShare, tables }: StructureResult): string {
  const parts = [
    ...(codeBlocks > 0 ? [`${count(codeBlocks, "code block")} (${Math.round(codeShare * 100)} % of the lines)`] : []),
    ...(tables > 0 ? [count(tables, "table")] : []),
  ];
  return parts.length === 0 ? "" : `Beside it ${parts.join(" and ")}. `;
}

function readability(result: ReadabilityResult): string[] {
  const { overall, files, longSentences, longest } = result;
  if (overall.ease === null) return [paragraph("There is no running text to judge.")];
  const parts = [
    paragraph(
      `Flesch reading ease ${overall.ease} (${easeInWords(overall.ease)}), school grade ${overall.grade}, ` +
        `${overall.wordsPerSentence} words in a sentence on average. The formulas are made for English; code blocks, ` +
        "tables and headings are left out, a code span counts as one short word.",
    ),
  ];
  if (files.length > 1) {
    const rows = [...files].sort((a, b) => (a.ease ?? 999) - (b.ease ?? 999)).map((file) => row(file.path, file));
    parts.push(table(["File", "Words", "Words/sentence", "Ease", "Grade"], rows.slice(0, LISTED)));
    if (rows.length > LISTED) parts.push(paragraph(`The ${LISTED} hardest of ${rows.length} files.`));
  }
  if (longSentences === 0) return [...parts, paragraph(`No sentence has more than ${LONG} words.`)];
  const which = longSentences > longest.length ? "; the longest" : "";
  return [
    ...parts,
    paragraph(`${count(longSentences, "sentence")} of more than ${LONG} words${which}:`),
    longest.map(({ path, line, words, text }) => listItem(`\`${path}:${line}\`, ${words} words: ${text}`)).join("\n"),
  ];
}

function row(path: string, { words, wordsPerSentence, ease, grade }: Readability): string[] {
  return [path, ...[words, wordsPerSentence, ease, grade].map((value) => (value === null ? "-" : String(value)))];
}

function easeInWords(ease: number): string {
  const bands: [number, string][] = [
    [90, "very easy"],
    [70, "easy"],
    [60, "plain English"],
    [50, "fairly hard"],
    [30, "hard"],
  ];
  return bands.find(([from]) => ease >= from)?.[1] ?? "very hard";
}

function keyPhrases({ phrases, candidates }: KeyPhrasesResult): string[] {
  if (phrases.length === 0) return [paragraph("The text is too short for key phrases.")];
  const rows = phrases.map(({ phrase, mentions, score, first }) => [phrase, String(mentions), String(score), first]);
  return [
    paragraph(`The strongest of ${candidates} candidates (RAKE, weighed by mentions):`),
    table(["Phrase", "Mentions", "Weight", "First at"], rows),
  ];
}

function links({ links: all, followed, external, outside, brokenCount, broken }: LinksResult): string[] {
  if (all === 0) return [paragraph("There are no links.")];
  const verdict = brokenCount === 0 ? "none is broken" : `${brokenCount} broken`;
  const notFollowed = external + outside;
  const rest = `; ${notFollowed} to other machines (${external}) or out of the folder (${outside}), not followed`;
  const parts = [
    paragraph(
      `${count(all, "link")}: ${followed} followed through the file tree, ${verdict}${notFollowed > 0 ? rest : ""}.`,
    ),
  ];
  if (broken.length === 0) return parts;
  parts.push(
    broken
      .slice(0, LISTED)
      .map(({ path, line, target, reason }) => listItem(`\`${path}:${line}\` to \`${target}\`: ${reason}`))
      .join("\n"),
  );
  if (brokenCount > LISTED) parts.push(paragraph(`... and ${brokenCount - LISTED} more.`));
  return parts;
}

function findings({ findings: all }: StructureResult): string[] {
  if (all.length === 0) return [paragraph("Headings are in order, none is empty or repeated.")];
  const parts = [
    all
      .slice(0, LISTED)
      .map(({ path, line, problem }) => listItem(`\`${path}:${line}\` ${problem}`))
      .join("\n"),
  ];
  if (all.length > LISTED) parts.push(paragraph(`... and ${all.length - LISTED} more.`));
  return parts;
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
}

import type { Outline, Prose, Section, SourceFile } from "./documents.ts";
import { type Block, blocksOf } from "./markdown.ts";
import { proseOf } from "./prose.ts";
import { type Sentence, sentencesOf } from "./sentences.ts";
import { wordsOf } from "./words.ts";

export interface SplitResult {
  readonly prose: readonly Prose[];
  readonly outlines: readonly Outline[];
}

/** Splits text files into sections, paragraphs, sentences and words. */
export function splitFiles(files: readonly SourceFile[]): SplitResult {
  const split = files.map(splitFile);
  return { prose: split.map(({ prose }) => prose), outlines: split.map(({ outline }) => outline) };
}

function splitFile({ path, text }: SourceFile): { prose: Prose; outline: Outline } {
  const blocks = blocksOf(text).map((block) => ({ ...block, sentences: sentencesIn(block) }));
  const sentences = blocks.flatMap((block) => block.sentences);
  const code = blocks.filter(({ kind }) => kind === "code");
  return {
    prose: { path, sentences },
    outline: {
      path,
      lines: text === "" ? 0 : text.replace(/\r?\n$/, "").split(/\r?\n/).length,
      words: countWords(sentences),
      sentences: sentences.length,
      paragraphs: blocks.filter((block) => block.sentences.length > 0).length,
      codeBlocks: code.length,
      codeLines: code.reduce((sum, block) => sum + block.text.split("\n").length, 0),
      tables: blocks.filter(({ kind }) => kind === "table").length,
      sections: sectionsOf(blocks),
    },
  };
}

function sentencesIn({ kind, text, line }: Block): Sentence[] {
  return kind === "paragraph" || kind === "item" || kind === "quote" ? sentencesOf(proseOf(text), line) : [];
}

type SplitBlock = Block & { readonly sentences: readonly Sentence[] };

function sectionsOf(blocks: readonly SplitBlock[]): Section[] {
  return blocks.flatMap((block, at) => {
    if (block.kind !== "heading") return [];
    const rest = blocks.slice(at + 1);
    const next = rest.findIndex(({ kind }) => kind === "heading");
    const content = next < 0 ? rest : rest.slice(0, next);
    const level = block.level ?? 1;
    // A heading that only introduces deeper ones is not empty.
    const introduces = content.length === 0 && (rest[0]?.level ?? 0) > level;
    return {
      line: block.line,
      level,
      heading: proseOf(block.text).replaceAll("`", "").trim(),
      words: countWords(content.flatMap(({ sentences }) => sentences)),
      empty: content.length === 0 && !introduces,
    };
  });
}

function countWords(sentences: readonly Sentence[]): number {
  return sentences.reduce((sum, { text }) => sum + wordsOf(text).length, 0);
}

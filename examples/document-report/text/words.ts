/** Letters or digits, joined by hyphens, apostrophes or points within: `don't`, `re-run`, `3.14`. */
const WORD = /[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*/gu;

/** Stands for a code span: read as one short word, whatever it holds. */
export const CODE_WORD = "code";

/** The words of a sentence, a code span counting as one. */
export function wordsOf(sentence: string): string[] {
  return sentence.replace(/`[^`]*`/g, ` ${CODE_WORD} `).match(WORD) ?? [];
}

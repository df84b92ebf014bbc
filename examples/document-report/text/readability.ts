import type { Prose } from "./documents.ts";
import { syllablesOf } from "./syllables.ts";
import { wordsOf } from "./words.ts";

/** How easily a text reads. Null where there is no running text to judge. */
export interface Readability {
  readonly words: number;
  readonly sentences: number;
  readonly wordsPerSentence: number | null;
  /** Flesch reading ease: 100 is very easy, 60 to 70 plain English, below 30 hard. */
  readonly ease: number | null;
  /** Flesch-Kincaid: years of school. */
  readonly grade: number | null;
}

export interface LongSentence {
  readonly path: string;
  readonly line: number;
  readonly words: number;
  readonly text: string;
}

export interface ReadabilityResult {
  readonly overall: Readability;
  readonly files: readonly (Readability & { readonly path: string })[];
  /** Sentences of more than `LONG` words. */
  readonly longSentences: number;
  /** The longest of them, longest first. */
  readonly longest: readonly LongSentence[];
}

/** Words above which a sentence is long. */
export const LONG = 30;
const LISTED = 5;
const EXCERPT = 160;

/** Measures each file and all of them together by Rudolf Flesch's formulas, which are made for English. */
export function readabilityOf(prose: readonly Prose[]): ReadabilityResult {
  const files = prose.map(({ path, sentences }) => ({ path, counts: sentences.map(({ text }) => count(text)) }));
  const long = prose
    .flatMap(({ path, sentences }) => sentences.map((sentence) => ({ path, ...sentence })))
    .map(({ path, line, text }) => ({ path, line, words: wordsOf(text).length, text: excerpt(text) }))
    .filter(({ words }) => words > LONG)
    .sort((a, b) => b.words - a.words);
  return {
    overall: measure(files.flatMap(({ counts }) => counts)),
    files: files.map(({ path, counts }) => ({ path, ...measure(counts) })),
    longSentences: long.length,
    longest: long.slice(0, LISTED),
  };
}

interface SentenceCount {
  readonly words: number;
  readonly syllables: number;
}

function count(sentence: string): SentenceCount {
  const words = wordsOf(sentence);
  return { words: words.length, syllables: words.reduce((sum, word) => sum + syllablesOf(word), 0) };
}

function measure(counts: readonly SentenceCount[]): Readability {
  const sentences = counts.length;
  const words = counts.reduce((sum, each) => sum + each.words, 0);
  const syllables = counts.reduce((sum, each) => sum + each.syllables, 0);
  if (words === 0) return { words, sentences, wordsPerSentence: null, ease: null, grade: null };
  const perSentence = words / sentences;
  const perWord = syllables / words;
  return {
    words,
    sentences,
    wordsPerSentence: round(perSentence),
    ease: round(206.835 - 1.015 * perSentence - 84.6 * perWord),
    grade: round(0.39 * perSentence + 11.8 * perWord - 15.59),
  };
}

function excerpt(text: string): string {
  if (text.length <= EXCERPT) return text;
  return `${text.slice(0, text.lastIndexOf(" ", EXCERPT)).toWellFormed()} ...`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

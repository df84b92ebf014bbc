import { type Prose, placeOf } from "./documents.ts";
import { STOP_WORDS } from "./stop-words.ts";

export interface KeyPhrase {
  readonly phrase: string;
  readonly mentions: number;
  readonly score: number;
  /** Where it stands first. */
  readonly first: string;
}

export interface KeyPhrasesResult {
  /** Different candidate phrases that were weighed. */
  readonly candidates: number;
  readonly phrases: readonly KeyPhrase[];
}

const LONGEST_PHRASE = 3;
const LISTED = 12;
/** Sentences from which on a phrase must be mentioned twice to count. */
const LONG_TEXT = 30;

interface Candidate {
  readonly words: readonly string[];
  /** How it was written, with the number of times. */
  readonly spellings: Map<string, number>;
  mentions: number;
  readonly first: string;
}

/**
 * Finds key phrases by RAKE (rapid automatic keyword extraction): stop words and punctuation cut the text into
 * candidates; a word weighs the more, the longer the phrases it stands in; a phrase weighs the sum of its words. Since
 * RAKE alone favours phrases that were used once, the weight is multiplied by the logarithm of the mentions.
 */
export function keyPhrasesOf(prose: readonly Prose[]): KeyPhrasesResult {
  const candidates = candidatesOf(prose);
  const weights = wordWeights([...candidates.values()]);
  const sentences = prose.reduce((sum, file) => sum + file.sentences.length, 0);
  const phrases = [...candidates.values()]
    .filter(({ mentions }) => mentions >= (sentences >= LONG_TEXT ? 2 : 1))
    .map((candidate) => ({ ...candidate, score: scoreOf(candidate, weights) }))
    .sort((a, b) => b.score - a.score || (a.first < b.first ? -1 : 1));
  return {
    candidates: candidates.size,
    phrases: withoutParts(phrases)
      .slice(0, LISTED)
      .map(({ spellings, mentions, score, first }) => ({
        phrase: mostUsed(spellings),
        mentions,
        score: Math.round(score * 10) / 10,
        first,
      })),
  };
}

function candidatesOf(prose: readonly Prose[]): Map<string, Candidate> {
  const candidates = new Map<string, Candidate>();
  for (const { path, sentences } of prose) {
    for (const { text, line } of sentences) {
      for (const phrase of phrasesIn(text)) {
        const words = phrase.map(singular);
        const key = words.join(" ");
        const known = candidates.get(key) ?? { words, spellings: new Map(), mentions: 0, first: placeOf(path, line) };
        const spelling = phrase.join(" ");
        known.spellings.set(spelling, (known.spellings.get(spelling) ?? 0) + 1);
        known.mentions++;
        candidates.set(key, known);
      }
    }
  }
  return candidates;
}

/** Runs of words that are no stop words, not across punctuation or code, of at most `LONGEST_PHRASE` words. */
function phrasesIn(sentence: string): string[][] {
  const phrases: string[][] = [];
  for (const part of sentence
    .toLowerCase()
    .replace(/`[^`]*`/g, " | ")
    .split(/[^\p{L}\p{N}\s'’-]+|\s[-–—]+\s/u)) {
    let phrase: string[] = [];
    for (const word of [...part.split(/\s+/), ""]) {
      const bare = word.replace(/^['’-]+|['’-]+$/g, "").replaceAll("’", "'");
      if (bare.length > 1 && /\p{L}/u.test(bare) && !STOP_WORDS.has(bare)) {
        phrase.push(bare);
        continue;
      }
      if (phrase.length > 0 && phrase.length <= LONGEST_PHRASE) phrases.push(phrase);
      phrase = [];
    }
  }
  return phrases;
}

/** Degree over frequency: in phrases of how many words a word stands, on average. */
function wordWeights(candidates: readonly Candidate[]): Map<string, number> {
  const frequency = new Map<string, number>();
  const degree = new Map<string, number>();
  for (const { words, mentions } of candidates) {
    for (const word of words) {
      frequency.set(word, (frequency.get(word) ?? 0) + mentions);
      degree.set(word, (degree.get(word) ?? 0) + mentions * words.length);
    }
  }
  return new Map([...frequency].map(([word, count]) => [word, (degree.get(word) ?? 0) / count]));
}

function scoreOf({ words, mentions }: Candidate, weights: ReadonlyMap<string, number>): number {
  return words.reduce((sum, word) => sum + (weights.get(word) ?? 0), 0) * Math.log(1 + mentions);
}

/** Leaves out phrases that a better one contains, unless they are mentioned far more often on their own. */
function withoutParts<T extends Candidate>(phrases: readonly T[]): T[] {
  const kept: T[] = [];
  for (const phrase of phrases) {
    const text = ` ${phrase.words.join(" ")} `;
    const within = kept.some(
      ({ words, mentions }) => ` ${words.join(" ")} `.includes(text) && phrase.mentions < 3 * mentions,
    );
    if (!within) kept.push(phrase);
  }
  return kept;
}

/** `agents` and `agent` are one; `status`, `access` and `analysis` stay as they are. */
function singular(word: string): string {
  if (word.length < 4 || !word.endsWith("s") || /(?:ss|us|is)$/.test(word)) return word;
  return word.endsWith("ies") ? `${word.slice(0, -3)}y` : word.slice(0, -1);
}

function mostUsed(spellings: ReadonlyMap<string, number>): string {
  return [...spellings].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "";
}

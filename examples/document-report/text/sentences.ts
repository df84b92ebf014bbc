/** A sentence and the line it starts on, counted like the text it was found in. */
export interface Sentence {
  readonly line: number;
  readonly text: string;
}

/** A full stop after these is part of the word, whatever follows. */
const NEVER_LAST = new Set([
  "e.g",
  "i.e",
  "vs",
  "cf",
  "dr",
  "mr",
  "mrs",
  "ms",
  "prof",
  "fig",
  "no",
  "ca",
  "approx",
  "st",
]);

/**
 * Splits prose into sentences: at `.`, `!`, `?` or an ellipsis before a blank, unless it belongs to an abbreviation or
 * an initial, stands in a code span, or goes on in lower case.
 * @param line of the file where the text starts
 */
export function sentencesOf(prose: string, line: number): Sentence[] {
  const sentences: Sentence[] = [];
  let start = 0;
  const cut = (end: number): void => {
    const text = prose.slice(start, end);
    const lead = text.length - text.trimStart().length;
    if (/[\p{L}\p{N}]/u.test(text)) {
      sentences.push({ line: line + breaksIn(prose.slice(0, start + lead)), text: text.trim().replace(/\s+/g, " ") });
    }
    start = end;
  };
  for (const stop of prose.matchAll(/(?:[.!?]+|…)["'”’)\]]*(?=\s)/g)) {
    const end = stop.index + stop[0].length;
    if (endsSentence(prose, stop.index, end)) cut(end);
  }
  cut(prose.length);
  return sentences;
}

function endsSentence(prose: string, stop: number, end: number): boolean {
  if (isInCode(prose, stop)) return false;
  const next = /\S/.exec(prose.slice(end))?.[0] ?? "";
  if (/\p{Ll}/u.test(next)) return false;
  if (prose[stop] !== ".") return true;
  const word = /[\p{L}\p{N}.]*$/u.exec(prose.slice(Math.max(0, stop - 20), stop))?.[0] ?? "";
  return !NEVER_LAST.has(word.toLowerCase()) && !/^\p{Lu}$/u.test(word);
}

/** An odd number of backticks before: inside. */
function isInCode(prose: string, at: number): boolean {
  let ticks = 0;
  for (let i = prose.indexOf("`"); i >= 0 && i < at; i = prose.indexOf("`", i + 1)) ticks++;
  return ticks % 2 === 1;
}

function breaksIn(text: string): number {
  return text.split("\n").length - 1;
}

const MAX_NAMES = 3;

/** The known words most like `wanted`, best first: those that share a dotted part or are a few letters away. */
export function nearest(wanted: string, known: readonly string[]): string[] {
  const scored = known.map((word) => ({ word, score: distance(wanted.toLowerCase(), word.toLowerCase()) }));
  return scored
    .filter(({ word, score }) => score <= Math.max(2, Math.floor(wanted.length / 3)) || shareWord(wanted, word))
    .sort((a, b) => a.score - b.score || (a.word < b.word ? -1 : 1))
    .slice(0, MAX_NAMES)
    .map(({ word }) => word);
}

function shareWord(a: string, b: string): boolean {
  const words = new Set(a.toLowerCase().split(/[^a-z0-9]+/));
  return b
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .some((word) => word.length > 2 && words.has(word));
}

/** Levenshtein distance; names are short, so the plain two-row form will do. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

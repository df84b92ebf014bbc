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

/** Levenshtein distance; names are short, so the plain form with one row will do. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    let [diagonal, left] = [0, 0];
    row = row.map((above, j) => {
      const substitution = diagonal + (a[i] === b[j - 1] ? 0 : 1);
      diagonal = above;
      left = j === 0 ? i + 1 : Math.min(above + 1, left + 1, substitution);
      return left;
    });
  }
  return Math.max(...row.slice(b.length));
}

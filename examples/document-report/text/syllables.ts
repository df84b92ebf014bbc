/** Common words that the rules below get wrong. */
const EXCEPTIONS = new Map(
  Object.entries({
    1: "hour hours real whole",
    2: "business create creates every naive people poem react science someone sometimes something somewhere therefore",
    3: "area areas created creating creation everything idea ideas recipe video",
    4: "reality",
  }).flatMap(([syllables, words]) => words.split(" ").map((word) => [word, Number(syllables)] as const)),
);

/** Vowels that touch but are spoken apart: each match adds a syllable. */
const APART = [
  /[^tscgx]io(?!u?s?$)|[^tscgx]ious$/, // radio, various; not nation, precious
  /[^tscg]ia/, // material; not special
  /i(?:et|ent|ence)/, // quiet, client, experience
  /[^aeioucg]i(?:er|est)$/, // easier
  /u(?:al|at)/, // manual, evaluate
  /[aeiou]ing$/, // seeing
  /sm$/, // mechanism
];

/**
 * Estimates the syllables of an English word by its spelling: groups of vowels, less the silent endings. Right for about
 * nine words in ten, which is what readability formulas are made for.
 */
export function syllablesOf(word: string): number {
  // An accented e is spoken, also at the end.
  const plain = word.toLowerCase().replaceAll("é", "i").normalize("NFD").replace(/\p{M}/gu, "");
  const parts = plain.split(/[^a-z]+/);
  const sum = parts.reduce((total, part) => total + (part === "" ? 0 : syllablesOfPart(part)), 0);
  // Digits are read as one.
  return Math.max(1, sum);
}

function syllablesOfPart(word: string): number {
  const known = EXCEPTIONS.get(word);
  if (known !== undefined) return known;
  const groups = word.replace(/^y/, "").match(/[aeiouy]+/g)?.length ?? 0;
  const apart = APART.filter((pattern) => pattern.test(word)).length;
  return Math.max(1, groups + apart - (hasSilentEnding(word) ? 1 : 0));
}

function hasSilentEnding(word: string): boolean {
  if (/[^aeiouy]e$/.test(word)) return !/[^aeiouy]le$/.test(word);
  if (/[^aeiouy]es$/.test(word)) return !/(?:[sxzcg]|ch|sh|[^aeiouy]l)es$/.test(word);
  if (/[^aeiouy]ed$/.test(word)) return !/[td]ed$|[^aeiouy]led$/.test(word);
  return /[aeiouy][^aeiouy]e(?:ly|ment|less|ful|ness)s?$/.test(word);
}

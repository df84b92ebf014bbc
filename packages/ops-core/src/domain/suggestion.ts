import { nearest } from "./nearest.ts";

/** Names outside these lengths are not compared: too short to be recognised, or too costly. */
const COMPARED_LENGTH_MIN = 4;
const COMPARED_LENGTH_MAX = 64;
/** How many known names are looked through. */
const COMPARED_NAMES_MAX = 100;

/** `; did you mean "x"?` with the known name closest to a mistyped one, or nothing when none is close. */
export function suggestion(name: string, known: Iterable<string>): string {
  if (name.length < COMPARED_LENGTH_MIN || name.length > COMPARED_LENGTH_MAX) return "";
  const candidates: string[] = [];
  for (const candidate of known) {
    if (candidate !== name && Math.abs(candidate.length - name.length) <= name.length / 2) candidates.push(candidate);
    if (candidates.length === COMPARED_NAMES_MAX) break;
  }
  const [found] = nearest(name, candidates);
  return found === undefined ? "" : `; did you mean "${found}"?`;
}

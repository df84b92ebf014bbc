import { stripVTControlCharacters } from "node:util";

// What a terminal obeys rather than shows: C0, DEL, C1; then marks that reorder what stands beside them.
const CONTROL = /[\p{Cc}--\n]+/gv;
const REORDERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from elsewhere without anything that a terminal would obey; line breaks stay. */
export function plainLines(text: string): string {
  const unstyled = stripVTControlCharacters(text).replaceAll("\r\n", "\n");
  return unstyled.replace(CONTROL, " ").replace(REORDERING, "").toWellFormed();
}

/** The same in one line. */
export function plain(text: string): string {
  return plainLines(text)
    .replace(/\s*\n\s*/g, " ")
    .trim();
}

/** JSON text with the same meaning that no terminal obeys. */
export function inertJson(json: string): string {
  const escaped = (text: string): string =>
    [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  // Outside strings JSON has no such characters but tabs and line breaks, which are not looked for.
  return json.replace(/[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, escaped);
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
// Shown two columns wide: East Asian scripts and pictures.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** Columns that plain text takes on a terminal. */
export function width(text: string): number {
  if (/^[ -\u02ff]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += graphemeWidth(segment);
  return columns;
}

/** At most `columns` wide; what is cut off shows as an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = "";
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment);
    if (used > columns) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** Broken between words, each line at most `columns` wide where words allow it. */
export function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      const longer = line === "" ? word : `${line} ${word}`;
      if (line !== "" && width(longer) > columns) {
        lines.push(line);
        line = word;
      } else {
        line = longer;
      }
    }
    return [...lines, line];
  });
}

export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

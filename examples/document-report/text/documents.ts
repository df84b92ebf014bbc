import type { Sentence } from "./sentences.ts";

/** What the trigger sends: a text file as it is. */
export interface SourceFile {
  /** Relative to the root of the files. */
  readonly path: string;
  readonly text: string;
}

/** The running text of a file: no headings, no code blocks, no tables. */
export interface Prose {
  readonly path: string;
  readonly sentences: readonly Sentence[];
}

/** The skeleton of a file. */
export interface Outline {
  readonly path: string;
  readonly lines: number;
  readonly words: number;
  readonly sentences: number;
  readonly paragraphs: number;
  readonly codeBlocks: number;
  readonly codeLines: number;
  readonly tables: number;
  readonly sections: readonly Section[];
}

/** What stands between one heading and the next. */
export interface Section {
  readonly line: number;
  readonly level: number;
  readonly heading: string;
  /** Words of running text under the heading itself, without those of deeper sections. */
  readonly words: number;
  /** Whether anything at all stands under the heading, a table or code included. */
  readonly empty: boolean;
}

/** A place in a file, as editors understand it. */
export function placeOf(path: string, line: number): string {
  return `${path}:${line}`;
}

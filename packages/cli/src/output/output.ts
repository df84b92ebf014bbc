import { type JsonValue, stringifyJson } from "@opspawn/contract";
import type { Sink } from "../io.ts";
import type { Style, Tone } from "./style.ts";
import { type Column, tableLines } from "./table.ts";
import { inertJson, padEnd, plainLines, width, wrap } from "./text.ts";
import { toYaml } from "./yaml.ts";

export const FORMATS = ["table", "json", "yaml", "jsonl"] as const;
export type Format = (typeof FORMATS)[number];

/** A part of a record for people: a name and its text, or lines under a title. */
export type Field = Row | Section;

type Row = readonly [name: string, value: string | number | null | undefined, tone?: Tone | undefined];

export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

const NARROWEST = 20;

/** Writes data to stdout, in the format asked for. */
export class Output {
  readonly format: Format;
  readonly style: Style;
  /** Width of what people read. */
  readonly columns: number;
  readonly #sink: Sink;

  constructor(format: Format, sink: Sink, columns: number, style: Style) {
    this.format = format;
    this.#sink = sink;
    this.columns = columns;
    this.style = style;
  }

  /** Lines for people; their text is ours or already plain. */
  lines(lines: readonly string[]): void {
    if (lines.length > 0) this.#sink.write(`${lines.join("\n")}\n`);
  }

  /** The value for machines; false when the format is for people and the caller has to say it in words. */
  data(value: unknown): boolean {
    const json = value as JsonValue;
    if (this.format === "table") return false;
    if (this.format === "yaml") this.#sink.write(toYaml(json));
    else if (this.format === "jsonl") this.#sink.write(`${inertJson(stringifyJson(json))}\n`);
    else this.#sink.write(`${inertJson(JSON.stringify(json, null, 2))}\n`);
    return true;
  }

  /** As `data`, for one of many things that come as they happen: JSON is a line for each. */
  eachData(value: unknown): boolean {
    if (this.format !== "json") return this.data(value);
    this.#sink.write(`${inertJson(stringifyJson(value as JsonValue))}\n`);
    return true;
  }

  table<Row>(rows: readonly Row[], shape: readonly Column<Row>[]): string[] {
    return tableLines(rows, shape, this.columns, this.style);
  }

  /** One thing: for machines as it is, for people as fields. */
  record(value: unknown, fields: readonly Field[]): void {
    if (!this.data(value)) this.lines(this.#fieldLines(fields));
  }

  /** One thing that was done: for machines the answer, for people a sentence. */
  done(value: unknown, sentence: string): void {
    if (!this.data(value)) this.lines(wrap(plainLines(sentence), this.columns));
  }

  #fieldLines(fields: readonly Field[]): string[] {
    const rows = fields.filter((field): field is Row => !("title" in field));
    const indent = Math.max(0, ...rows.map(([name]) => width(name))) + 2;
    // However they were gathered, sections come last: a field below one would look like a part of it.
    const sections = fields.filter((field): field is Section => "title" in field);
    return [
      ...rows.flatMap((row) => this.#rowLines(row, indent)),
      ...sections.flatMap((section) => ["", this.style("title", section.title), ...section.lines]),
    ];
  }

  #rowLines([name, value, tone]: Row, indent: number): string[] {
    const text = plainLines(String(value ?? "-"));
    const [first = "", ...rest] = wrap(text, Math.max(NARROWEST, this.columns - indent));
    return [
      `${this.style("dim", padEnd(name, indent))}${this.style(tone, first)}`,
      ...rest.map((line) => " ".repeat(indent) + line),
    ];
  }
}

/** JSON for people, in lines. */
export function jsonLines(value: unknown): string[] {
  return inertJson(JSON.stringify(value, null, 2)).split("\n");
}

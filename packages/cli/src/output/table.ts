import type { Style, Tone } from "./style.ts";
import { padEnd, plain, truncate, width } from "./text.ts";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null | undefined;
  /** Columns it may be cut down to when the table is too wide. Default: never cut. */
  readonly least?: number;
  readonly tone?: (row: Row) => Tone | undefined;
}

/** Ids of ours are this long at most, and useless when cut; only strangers' ids are longer. */
export const ID_WIDTH = 41;

const GAP = "  ";

/** A table of at most `columns` columns, in lines. */
export function tableLines<Row>(
  rows: readonly Row[],
  shape: readonly Column<Row>[],
  columns: number,
  style: Style,
): string[] {
  const cells = rows.map((row) => shape.map((column) => plain(String(column.value(row) ?? "-"))));
  const natural = shape.map((column, n) => Math.max(width(column.title), ...cells.map((line) => width(line[n] ?? ""))));
  const widths = shrink(natural, shape, columns);
  const line = (texts: readonly string[], tones: readonly (Tone | undefined)[]): string =>
    texts
      .map((text, n) => {
        const cell = truncate(text, widths[n] ?? 0);
        return style(tones[n], n === texts.length - 1 ? cell : padEnd(cell, widths[n] ?? 0));
      })
      .join(GAP);
  const head = line(
    shape.map((column) => column.title),
    shape.map(() => "dim"),
  );
  return [
    head,
    ...rows.map((row, n) =>
      line(
        cells[n] ?? [],
        shape.map((column) => column.tone?.(row)),
      ),
    ),
  ];
}

/** Takes from the widest column that may give, until the table fits. */
function shrink<Row>(natural: readonly number[], shape: readonly Column<Row>[], columns: number): number[] {
  const widths = [...natural];
  const least = shape.map((column, n) => Math.min(natural[n] ?? 0, column.least ?? Infinity));
  let excess = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (shape.length - 1) - columns;
  while (excess > 0) {
    const give = widths.map((each, n) => (each > (least[n] ?? 0) ? each : 0));
    const widest = give.indexOf(Math.max(...give));
    if ((give[widest] ?? 0) === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

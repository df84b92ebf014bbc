const WIDTH = 80;

/** Wraps a text at the width of a terminal. */
export function paragraph(text: string, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && longer.length > WIDTH - indent.length) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines.join(`\n${indent}`);
}

export function listItem(text: string): string {
  return `- ${paragraph(text, "  ")}`;
}

/** A Markdown table with aligned columns, words to the left, numbers to the right, within the width of a terminal. */
export function table(head: readonly string[], allRows: readonly (readonly string[])[]): string {
  const rows = narrowed(head, allRows);
  const isNumber = head.map((_, column) => rows.every((row) => /^(?:-|-?[\d.,]+)$/.test(row[column] ?? "")));
  const widths = head.map((title, column) => {
    return Math.max(3, title.length, ...rows.map((row) => (row[column] ?? "").length));
  });
  const write = (cells: readonly string[]): string => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isNumber[column] ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, column) => (isNumber[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [write(head), `| ${rule.join(" | ")} |`, ...rows.map((row) => write(escaped(row)))].join("\n");
}

/** Shortens the widest column, from the left: of a path the end says more. */
function narrowed(head: readonly string[], rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const excess = widths.reduce((sum, width) => sum + width + 3, 1) - WIDTH;
  if (excess <= 0) return rows;
  const widest = widths.indexOf(Math.max(...widths));
  const room = Math.max(12, (widths[widest] ?? 0) - excess);
  return rows.map((row) => row.map((cell, column) => (column === widest ? endOf(cell, room) : cell)));
}

function endOf(text: string, width: number): string {
  return text.length <= width ? text : `...${text.slice(3 - width)}`;
}

function escaped(row: readonly string[]): string[] {
  return row.map((cell) => cell.replaceAll("|", "/"));
}

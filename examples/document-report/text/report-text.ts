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

/** A Markdown table with aligned columns: the first and last of words to the left, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
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

function escaped(row: readonly string[]): string[] {
  return row.map((cell) => cell.replaceAll("|", "/"));
}

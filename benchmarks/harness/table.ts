/** Columns as wide as they need to be, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  ")).join("\n");
}

/** As many digits as mean something; `-` for what was not measured. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (value >= 1_000) return Math.round(value).toLocaleString("en-US");
  const digits = value >= 100 ? 0 : 1;
  return value.toFixed(value < 10 ? 2 : digits);
}

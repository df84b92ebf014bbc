/** Why a text is no definition, and where. Stays inside this folder: `parseDefinition` turns it into an `OpspawnError`. */
export class TextFailure extends Error {
  readonly line: number;
  readonly column: number;

  /** @param place line and column, both from 1 */
  constructor(message: string, place: { readonly line: number; readonly column: number }) {
    super(message);
    this.line = place.line;
    this.column = place.column;
  }
}

/** Line and column, from 1, of a position in a text. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - (before.lastIndexOf("\n") + 1) + 1 };
}
